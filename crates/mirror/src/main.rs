//! The `mirror` program.

fn main() -> std::process::ExitCode {
    mirror::main()
}
