//! The node `diffusion`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("diffusion", diffusion::run)
}
