//! The node `encoder`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("encoder", encoder::run)
}
