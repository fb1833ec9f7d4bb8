//! The node `replay`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("replay", replay::run)
}
