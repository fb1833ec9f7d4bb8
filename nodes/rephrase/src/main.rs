//! The node `rephrase`.
mod llama;

fn main() -> std::process::ExitCode {
    mirror_kit::start("rephrase", || rephrase::run(llama::Llama::open))
}
