//! The `display` node.

fn main() -> std::process::ExitCode {
    mirror_kit::start("display", display::run)
}
