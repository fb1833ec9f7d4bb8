//! A disk that takes no more. A test program of its own: the limit that stands for it is the whole process's.

use mirror_contract::{Frame, Header, Message, Stamp};
use mirror_tape::reel::Fault;
use mirror_tape::{Limits, Pictures, Reader, Reel, Taped};

/// The largest file that this process may write.
const LIMIT: u64 = 3 << 20;

fn frame(frame_id: i64) -> Taped {
    let stamp = Stamp { stream: "house".to_owned(), frame_id, captured_ns: frame_id };
    let pixels = vec![frame_id as u8; 300 * 300 * 3];
    let frame = Frame { header: Header::of(stamp), height: 300, width: 300, pixels: pixels.into() };
    let (parameters, data) = frame.encode();
    Taped::of("camera/frame", frame_id, &parameters, &data).expect("a message")
}

#[test]
fn a_disk_that_takes_no_more_ends_the_recording_and_what_was_written_can_be_read() {
    // SAFETY: SIGXFSZ is ignored, so that a file that is too large is an error and not the end of the process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = libc::rlimit { rlim_cur: LIMIT, rlim_max: LIMIT };
    // SAFETY: the struct outlives the call, which only reads it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }, 0);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.mcap");
    let limits = Limits { file_bytes: 0, free_bytes: 0 };
    let mut reel = Reel::create(&path, Pictures::Raw, limits).expect("it begins");
    let fault = (0..100).find_map(|number| reel.write(&frame(number)).err());
    let Some(Fault::Disk(error)) = fault else { panic!("the disk was never full: {fault:?}") };
    assert!(format!("{error:#}").contains("cannot be written"), "{error:#}");
    let written = reel.written().messages;
    assert!(reel.finish("the disk was full", 0).is_err());

    let mut reader = Reader::open(&path).expect("it is there");
    let read: Vec<Taped> = reader.by_ref().map(|taped| taped.expect("it can be read")).collect();
    assert!(read.len() >= 4 && read.len() as u64 <= written, "{} of {written}", read.len());
    assert!(read.iter().enumerate().all(|(number, taped)| *taped == frame(number as i64)));
    assert!(reader.remark().is_some());
}
