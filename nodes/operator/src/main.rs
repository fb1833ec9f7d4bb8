//! The node `operator`.
fn main() -> std::process::ExitCode {
    operator::trial::asked().unwrap_or_else(|| mirror_kit::start("operator", operator::run))
}
