//! The node `vad`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("vad", vad::run)
}
