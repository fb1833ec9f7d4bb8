//! The `recorder` node.

fn main() -> std::process::ExitCode {
    mirror_kit::start("recorder", recorder::run)
}
