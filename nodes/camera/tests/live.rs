//! A camera of the network that vanishes and comes back.

use camera::config::{Config, KEYS};
use camera::grab::Grabber;
use camera::newest::{Happening, Taken};
use camera::pattern;
use mirror_contract::now_ns;
use mirror_kit::Environment;
use mirror_kit::source::Start;
use opencv::core::{Mat, Vec3b, Vector};
use opencv::{imgcodecs, imgproc};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const SHAPE: [usize; 2] = [240, 320];
/// Between two pictures of the server: 25 a second.
const PERIOD: Duration = Duration::from_millis(40);

/// The test picture of that number, as a JPEG.
fn jpeg(number: u64) -> Vec<u8> {
    let mut pixels = vec![0; SHAPE[0] * SHAPE[1] * 3];
    pattern::paint(number, SHAPE, &mut pixels);
    let rgb = Mat::new_rows_cols_with_bytes::<Vec3b>(240, 320, &pixels).expect("a picture");
    let (mut bgr, mut bytes) = (Mat::default(), Vector::new());
    imgproc::cvt_color_def(&rgb, &mut bgr, imgproc::COLOR_RGB2BGR).expect("a picture");
    imgcodecs::imencode(".jpg", &bgr, &mut bytes, &Vector::new()).expect("it can be encoded");
    bytes.as_slice().to_vec()
}

/// Sends so many pictures as MJPEG, then hangs up.
fn serve(mut peer: TcpStream, count: u64) -> std::io::Result<()> {
    let request = BufReader::new(peer.try_clone()?);
    for line in request.lines() {
        if line?.is_empty() {
            break;
        }
    }
    write!(peer, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")?;
    for number in 0..count {
        let bytes = jpeg(number);
        write!(peer, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", bytes.len())?;
        peer.write_all(&bytes)?;
        peer.write_all(b"\r\n")?;
        thread::sleep(PERIOD);
    }
    Ok(())
}

fn grabber(address: &str, start: Start) -> Grabber {
    let pairs = [("CAMERA_SOURCE", address), ("CAMERA_TIMEOUT_SECONDS", "2")];
    let environment = Environment::given(KEYS, pairs).expect("keys are known");
    Grabber::start(Config::of(&environment).expect("values are right"), start).expect("a thread")
}

/// Looks at what happens until `done` says so.
fn watch(grabber: &Grabber, mut done: impl FnMut(Happening, &Taken) -> bool) {
    let (start, mut taken) = (Instant::now(), Taken::default());
    loop {
        let happening = grabber.next(Duration::from_millis(50), &mut taken);
        if let Happening::End(result) = happening {
            panic!("the source has ended: {result:?}");
        }
        if done(happening, &taken) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it takes too long");
    }
}

#[test]
fn a_stream_that_breaks_off_is_opened_again_and_people_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://me:secret@{}/live.mjpg", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (peer, _) = listener.accept().expect("the camera calls");
            // The camera may hang up first.
            let _ = serve(peer, 50);
        }
    });
    let grabber = grabber(&address, Start::First);
    let (mut lines, mut after, mut last) = (Vec::new(), 0, -1);
    watch(&grabber, |happening, taken| {
        match happening {
            Happening::Say(_, text) => lines.push(text),
            Happening::Brought(()) => {
                assert!(taken.frame_id > last, "numbers rise across the break");
                last = taken.frame_id;
                assert_eq!(taken.picture.shape(), SHAPE);
                assert!(taken.source.starts_with("stream http://…@127.0.0.1:"), "{}", taken.source);
                assert!((0..2_000_000_000).contains(&(now_ns() - taken.captured_ns)), "it is stamped when it comes");
                after += usize::from(lines.iter().any(|line| line.starts_with("back: ")));
            }
            Happening::End(_) | Happening::Nothing => {}
        }
        after == 5
    });
    assert!(lines[0].starts_with("stream http://…@127.0.0.1:"), "{lines:?}");
    assert!(lines[1].contains("has vanished") && lines[1].ends_with("trying again in 0.5 s"), "{lines:?}");
    assert!(lines.last().is_some_and(|line| line.starts_with("back: stream ")), "{lines:?}");
    assert!(!lines.concat().contains("secret"), "{lines:?}");
    drop(grabber);
    drop(server);
}

#[test]
fn a_camera_that_has_worked_before_is_waited_for_at_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/live.mjpg", listener.local_addr().expect("an address"));
    let start = Instant::now();
    let server = thread::spawn(move || {
        while let Ok((peer, _)) = listener.accept() {
            // Away: whoever calls is hung up on.
            if start.elapsed() > Duration::from_secs(1) {
                return serve(peer, 50);
            }
        }
        Ok(())
    });
    let grabber = grabber(&address, Start::Again);
    let mut lines = Vec::new();
    watch(&grabber, |happening, taken| match happening {
        Happening::Say(_, text) => {
            lines.push(text);
            false
        }
        Happening::Brought(()) => taken.picture.shape() == SHAPE,
        Happening::End(_) | Happening::Nothing => false,
    });
    assert!(lines[0].ends_with("it has worked before, trying again in 0.5 s"), "{lines:?}");
    assert!(lines.last().is_some_and(|line| line.starts_with("stream http://127.0.0.1:")), "{lines:?}");
    drop(grabber);
    drop(server);
}

#[test]
fn stopping_never_waits_for_a_source() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    // Nobody ever answers: the connection is taken by the system, and stays silent.
    let address = format!("http://{}/live.mjpg", listener.local_addr().expect("an address"));
    let grabber = grabber(&address, Start::First);
    assert!(matches!(grabber.next(Duration::from_millis(300), &mut Taken::default()), Happening::Nothing));
    let start = Instant::now();
    drop(grabber);
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
}

#[test]
fn a_pattern_keeps_its_pace_without_drift() {
    let pairs = [("CAMERA_SOURCE", "pattern"), ("CAMERA_FPS", "50")];
    let environment = Environment::given(KEYS, pairs).expect("keys are known");
    let config = Config::of(&environment).expect("values are right");
    let grabber = Grabber::start(config, Start::First).expect("a thread");
    let mut times = Vec::new();
    watch(&grabber, |happening, taken| {
        if matches!(happening, Happening::Brought(())) {
            times.push((taken.frame_id, taken.captured_ns));
        }
        times.len() == 100
    });
    let ((first, start), (last, end)) = (times[0], times[99]);
    let expected = (last - first) * 20_000_000;
    assert!((end - start - expected).abs() < 100_000_000, "{} ns instead of {expected}", end - start);
}
