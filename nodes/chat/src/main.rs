//! The terminal of the mirror.
fn main() -> std::process::ExitCode {
    mirror_kit::start_terminal("chat", chat::run)
}
