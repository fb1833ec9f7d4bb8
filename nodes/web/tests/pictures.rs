//! Pictures over real sockets.

mod fake;

use fake::{Client, Fake, frame};
use mirror_contract::now_ns;
use std::io::Read;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn side_of(jpeg: &[u8]) -> usize {
    turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::RGB).expect("a JPEG").width
}

#[test]
fn a_stream_is_made_of_jpegs_each_followed_by_its_boundary() {
    let fake = Fake::start(&[]);
    let (mut client, mut rest) = (fake.watch(), Vec::new());
    for frame_id in 0..5 {
        fake.offer(frame_id, 64);
        let (seen, jpeg) = client.picture(&mut rest).expect("a picture");
        assert_eq!((seen, side_of(&jpeg)), (frame_id, 64));
    }
}

#[test]
fn a_picture_arrives_without_waiting_for_the_next_one() {
    let fake = Fake::start(&[]);
    let (mut client, mut rest) = (fake.watch(), Vec::new());
    fake.offer(0, 64);
    client.picture(&mut rest).expect("the first picture");
    fake.offer(1, 64);
    assert_eq!(client.picture(&mut rest).expect("the only other picture").0, 1);
}

#[test]
fn a_slow_client_misses_pictures_and_holds_back_nobody() {
    let fake = Fake::start(&[]);
    let (mut slow, mut slow_rest) = (fake.watch(), Vec::new());
    let (mut fast, mut fast_rest) = (fake.watch(), Vec::new());
    const PICTURES: i64 = 60;
    for frame_id in 0..PICTURES {
        fake.offer(frame_id, 512);
        assert_eq!(fast.picture(&mut fast_rest).expect("a picture").0, frame_id);
    }
    // The slow one has read nothing so far: what waited for it is little, and then comes the newest.
    let mut seen = Vec::new();
    while seen.last() != Some(&(PICTURES - 1)) {
        seen.push(slow.picture(&mut slow_rest).expect("a picture").0);
    }
    assert!(seen.is_sorted() && seen.len() < 40, "{seen:?}");
}

#[test]
fn a_new_watcher_sees_the_newest_picture_at_once_and_nothing_older() {
    let fake = Fake::start(&[]);
    {
        let (mut first, mut rest) = (fake.watch(), Vec::new());
        fake.offer(0, 64);
        first.picture(&mut rest).expect("a picture");
    }
    // Until the server has seen the client go, pictures are encoded for it.
    for frame_id in 1..50 {
        fake.offer(frame_id, 64);
        sleep(Duration::from_millis(5));
    }
    let (mut second, mut rest) = (fake.watch(), Vec::new());
    assert_eq!(second.picture(&mut rest).expect("a picture").0, 49);
}

#[test]
fn the_figures_count_pictures_whether_or_not_somebody_watches() {
    let fake = Fake::start(&[]);
    for frame_id in 0..10 {
        fake.offer(frame_id, 64);
    }
    let (summary, silent_ms) = fake.press.easel().figures(now_ns());
    assert_eq!(summary.frames, 10);
    assert!(silent_ms.is_some_and(|ms| ms < 1000));
    // The last of them is encoded now, but it has been counted.
    let (mut client, mut rest) = (fake.watch(), Vec::new());
    client.picture(&mut rest).expect("the last picture");
    fake.offer(10, 64);
    client.picture(&mut rest).expect("one more");
    let (summary, _) = fake.press.easel().figures(now_ns());
    assert_eq!(summary.frames, 11);
    assert!(summary.age_ms.p50 >= 20.0, "{summary:?}");
    assert_eq!(summary.stages.iter().map(|stage| stage.stage.as_str()).collect::<Vec<_>>(), ["decoder", "web"]);
}

#[test]
fn a_single_picture_can_be_fetched() {
    let fake = Fake::start(&[]);
    let answer = fake.get("/picture.jpg");
    assert_eq!(answer.status, 503);
    assert!(answer.json()["errors"][0]["error"].as_str().expect("a text").contains("no picture yet"));
    fake.offer(7, 64);
    let answer = fake.get("/picture.jpg");
    assert_eq!((answer.status, side_of(&answer.body)), (200, 64));
    assert!(answer.head.contains("x-frame-id: 7") && answer.head.contains("image/jpeg"), "{}", answer.head);
}

#[test]
fn a_picture_of_the_contract_keeps_its_colours() {
    let fake = Fake::start(&[("WEB_JPEG_QUALITY", "95")]);
    let mut red = frame(0, 64);
    red.pixels = [200u8, 30, 30].repeat(64 * 64).into();
    fake.show(red);
    let image = turbojpeg::decompress(&fake.get("/picture.jpg").body, turbojpeg::PixelFormat::RGB).expect("a JPEG");
    let middle = &image.pixels[(32 * 64 + 32) * 3..][..3];
    assert!(middle[0].abs_diff(200) < 6 && middle[1].abs_diff(30) < 6 && middle[2].abs_diff(30) < 6, "{middle:?}");
}

#[test]
fn when_all_places_are_taken_one_more_is_turned_away_until_somebody_leaves() {
    let fake = Fake::start(&[("WEB_CLIENTS_MAX", "2")]);
    let first = fake.watch();
    let _second = fake.watch();
    let answer = fake.get("/stream");
    assert_eq!(answer.status, 503);
    assert!(answer.json()["errors"][0]["error"].as_str().expect("a text").contains("WEB_CLIENTS_MAX"));
    drop(first);
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        fake.offer(0, 64);
        let mut client = Client::ask(fake.address(), "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if client.head().starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(Instant::now() < end, "the place has not become free");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_end_of_the_server_ends_all_streams_within_a_second() {
    let mut fake = Fake::start(&[]);
    let (mut client, mut rest) = (fake.watch(), Vec::new());
    let mut events = Client::ask(fake.address(), "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    events.head();
    fake.offer(0, 64);
    client.picture(&mut rest).expect("a picture");
    let start = Instant::now();
    fake.server = None;
    assert!(client.picture(&mut rest).is_none());
    let mut left = Vec::new();
    let _ = events.0.read_to_end(&mut left);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
