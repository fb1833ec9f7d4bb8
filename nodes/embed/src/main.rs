//! The node `embed`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("embed", embed::run)
}
