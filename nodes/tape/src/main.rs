//! The node `tape`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("tape", tape::run)
}
