//! The node `control`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("control", control::run)
}
