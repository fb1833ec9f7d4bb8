//! For tests: a library that says what it was built for, and lacks dora's functions.

/// What every operator exports besides dora's functions.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the symbol's name")]
pub static mirror_operator_abi: mirror_operator::Abi = mirror_operator::Abi::of("operator-bare");
