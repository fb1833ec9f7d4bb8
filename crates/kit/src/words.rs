//! How those that record say how far they are, to the program that has started them: a line each.

/// How the line begins that names the file: the recording has begun.
pub const BEGUN: &str = "recording into ";
/// How the lines begin that say how far it is.
pub const RECORDED: &str = "recorded ";
/// How the last line begins. What is wrong with the recording follows after a semicolon.
pub const FINISHED: &str = "recording finished: ";
