//! The node `web`.
fn main() -> std::process::ExitCode {
    mirror_kit::start("web", web::run)
}
