//! The node `stt`.
mod whisper;

fn main() -> std::process::ExitCode {
    mirror_kit::start("stt", || stt::run(whisper::Whisper::open))
}
