//! The node `watch`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("watch", watch::run)
}
