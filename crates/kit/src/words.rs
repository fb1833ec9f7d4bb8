//! What nodes say to the programs that wait for it.

/// How the line begins that names the file: the recording has begun.
pub const BEGUN: &str = "recording into ";
/// How the lines begin that say how far it is.
pub const RECORDED: &str = "recorded ";
/// How the last line begins. What is wrong with the recording follows after a semicolon.
pub const FINISHED: &str = "recording finished: ";
/// What follows an operator's name in the notice that it paints.
pub const LIVE: &str = " is live";
/// How the notice begins that an operator does not: the reason follows.
pub const REFUSED: &str = "the new operator is refused, all goes on as before: ";
