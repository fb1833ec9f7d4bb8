//! The node `fused`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("fused", fused::run)
}
