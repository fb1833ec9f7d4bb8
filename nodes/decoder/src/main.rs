//! The node `decoder`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("decoder", decoder::run)
}
