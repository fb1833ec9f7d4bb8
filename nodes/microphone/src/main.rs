//! The node `microphone`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("microphone", microphone::run)
}
