//! Takes pictures: see the library.
fn main() -> std::process::ExitCode {
    mirror_kit::start("camera", camera::run)
}
