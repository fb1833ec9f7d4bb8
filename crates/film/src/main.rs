//! The program `film`.
fn main() -> std::process::ExitCode {
    mirror_film::viewer::main()
}
