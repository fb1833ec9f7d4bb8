//! Visitors over real sockets. The graph is the test's: it takes pictures out of the orders and gives painted ones back.

mod fake;
mod guest;

use fake::Fake;
use futures::SinkExt;
use guest::{Live, PATIENCE, Said, Visitor, admitted, colour, is_near, jpeg, painted};
use mirror_contract::Settings;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use web::streams::{OpenError, Opening, Order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitors_picture_goes_into_the_graph_and_comes_back_painted_to_those_who_know_its_name() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let mut friend = Visitor::watch(&fake, "anna").await;
    let mut house = Visitor::watch(&fake, "house").await;
    anna.text("credit").await;
    anna.send(1, 77, &jpeg(64, [200, 30, 30])).await;
    let (stamp, seen, size) = admitted(&mut fake.orders).await;
    assert_eq!((&*stamp.stream, size), ("visitor/anna", [64, 64]));
    assert!(is_near(seen, [200, 30, 30]), "{seen:?}");
    fake.streams.taken(&stamp);
    painted(&fake.streams, stamp.clone(), [30, 200, 30]);
    let (head, picture) = anna.picture().await;
    assert_eq!((&head["frame"], &head["tag"], &head["prompt"]), (&json!(stamp.frame_id), &json!(77), &json!("neon")));
    assert!(head["age_ms"].as_f64().is_some_and(|age| (5.0..5000.0).contains(&age)), "{head}");
    assert!(is_near(colour(&picture), [30, 200, 30]));
    let (head, picture) = friend.picture().await;
    assert_eq!((&head["frame"], &head["tag"]), (&json!(stamp.frame_id), &Value::Null));
    assert!(is_near(colour(&picture), [30, 200, 30]));
    // Who watches the house sees the house.
    fake.offer(0, 64);
    let (head, _) = house.picture().await;
    assert_eq!(head["width"], 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_pictures_at_once_are_granted_and_a_third_one_when_one_has_come_back() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let picture = jpeg(64, [9, 9, 9]);
    let mut stamps = Vec::new();
    for _ in 0..2 {
        anna.text("credit").await;
        anna.send(1, 0, &picture).await;
        let (stamp, ..) = admitted(&mut fake.orders).await;
        fake.streams.taken(&stamp);
        stamps.push(stamp);
    }
    let third = timeout(Duration::from_millis(300), anna.text("credit")).await;
    assert!(third.is_err(), "{third:?}");
    painted(&fake.streams, stamps.remove(0), [0; 3]);
    anna.text("credit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_without_a_credit_replaces_its_own_picture_and_the_newest_goes_in() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let mut bert = Visitor::open(&fake, "bert", "other").await;
    // Bert's stands at the door: what Anna sends meanwhile waits.
    bert.text("credit").await;
    bert.send(1, 0, &jpeg(64, [1, 1, 250])).await;
    let (door, ..) = admitted(&mut fake.orders).await;
    for shade in [10, 60, 110, 160] {
        anna.send(1, 0, &jpeg(64, [shade; 3])).await;
    }
    // All four have come.
    while fake.streams.entry_of("anna").and_then(|entry| entry.tally).is_none_or(|tally| tally.offered < 4) {
        sleep(Duration::from_millis(5)).await;
    }
    fake.streams.taken(&door);
    let (stamp, seen, _) = admitted(&mut fake.orders).await;
    assert_eq!((&*stamp.stream, stamp.frame_id), ("visitor/anna", 3));
    assert!(is_near(seen, [160; 3]), "{seen:?}");
    let tally = fake.streams.entry_of("anna").and_then(|entry| entry.tally).expect("it is there");
    assert_eq!((tally.offered, tally.replaced), (4, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_picture_is_decoded_no_larger_than_it_is_needed() {
    let mut fake = Live::start(&[]);
    fake.settings(Settings { version: 1, size: 256, ..Settings::of("house") });
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    anna.send(1, 0, &jpeg(2048, [9, 90, 9])).await;
    assert_eq!(admitted(&mut fake.orders).await.2, [256, 256]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webp_and_png_are_pictures_too() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([200, 100, 50]));
    for format in [image::ImageFormat::Png, image::ImageFormat::WebP] {
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, format).expect("a file");
        anna.send(1, 0, file.get_ref()).await;
        let (stamp, seen, size) = admitted(&mut fake.orders).await;
        assert_eq!((seen, size), ([200, 100, 50], [30, 40]));
        fake.streams.taken(&stamp);
        painted(&fake.streams, stamp, [0; 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_is_answered_in_plain_words_and_the_stream_goes_on() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let good = jpeg(64, [9, 9, 9]);
    let damaged: Vec<u8> = good[..good.len() / 2].to_vec();
    let too_long = vec![0xFF; web::streams::photo::BYTES_MAX];
    let tiny = jpeg(4, [0; 3]);
    let cases: [(u8, &[u8], &str); 6] = [
        (1, b"", "empty"),
        (1, b"hello, this is no picture", "neither JPEG nor WebP nor PNG"),
        (1, &tiny, "4 × 4 pixels"),
        (7, b"x", "kind 1 (picture) or 2 (sound), not 7"),
        (1, &too_long, "neither JPEG"),
        (1, b"\xFF\xD8\xFF\xE0\0\0\0\0", "cannot be read"),
    ];
    for (kind, body, expected) in cases {
        anna.send(kind, 0, body).await;
        let said = anna.text("trouble").await["error"].as_str().expect("a text").to_owned();
        assert!(said.contains(expected), "{said}");
    }
    anna.0.send(Message::Binary(vec![1, 2, 3].into())).await.expect("it is open");
    assert!(anna.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("at least 12 bytes")));
    anna.say(json!({"type": "dance"})).await;
    assert!(anna.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("dance")));
    // Found out only when it is decoded: its place in the graph is given back.
    anna.send(1, 0, &damaged).await;
    let half = timeout(Duration::from_secs(2), anna.text("trouble")).await;
    if half.is_err() {
        // The library makes what it can of half a picture; then it goes in.
        let (stamp, ..) = admitted(&mut fake.orders).await;
        fake.streams.taken(&stamp);
    }
    anna.send(1, 0, &good).await;
    assert_eq!(admitted(&mut fake.orders).await.2, [64, 64]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_long_ends_the_socket_and_nothing_else() {
    let mut fake = Live::start(&[("WEB_MESSAGE_MAX", "1MiB")]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let mut bert = Visitor::open(&fake, "bert", "other").await;
    // Not too long for a picture: what is said of sockets holds for this one.
    let long = vec![1u8; 1024 * 1024 + 1];
    anna.0.send(Message::Binary(long.into())).await.expect("it is open");
    let ended = anna.text("ended").await;
    assert_eq!(ended["code"], "large", "{ended}");
    while !matches!(anna.next().await, Said::Closed) {}
    bert.text("credit").await;
    bert.send(1, 0, &jpeg(64, [9; 3])).await;
    assert_eq!(admitted(&mut fake.orders).await.0.stream, "visitor/bert");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_of_whom_nothing_is_heard_for_too_long_is_gone_and_one_who_answers_is_not() {
    let fake = Live::start(&[("WEB_IDLE_MAX", "2s")]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    // Nothing reads this socket, and so nothing answers what it is asked.
    let bert = Visitor::open(&fake, "bert", "other").await;
    let is_live = |name: &str| fake.streams.entry_of(name).is_some_and(|entry| entry.is_live);
    assert!(is_live("anna") && is_live("bert"));
    let left = async {
        while is_live("bert") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    // Reading answers.
    let reading = async { while !matches!(anna.next().await, Said::Closed) {} };
    tokio::select! {
        left = timeout(PATIENCE, left) => left.expect("who is silent is gone"),
        () = reading => panic!("who answers stays"),
    }
    assert!(is_live("anna"));
    drop(bert);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_messages_ends_the_socket_that_it_comes_from_and_nothing_else() {
    let mut fake = Live::start(&[("WEB_MESSAGES_MAX", "20")]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let mut bert = Visitor::open(&fake, "bert", "other").await;
    for _ in 0..1000 {
        if anna.0.send(Message::Text("{}".into())).await.is_err() {
            break;
        }
    }
    let mut last = Value::Null;
    loop {
        match anna.next().await {
            Said::Text(text) => last = text["code"].clone(),
            Said::Picture(..) => {}
            Said::Closed => break,
        }
    }
    // What the server said last may be lost with a connection that is written to after its end.
    assert!(last == "flood" || last == Value::Null, "{last}");
    bert.text("credit").await;
    bert.send(1, 0, &jpeg(64, [9; 3])).await;
    assert_eq!(admitted(&mut fake.orders).await.0.stream, "visitor/bert");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_the_owners_own_and_are_refused_with_the_range() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    anna.say(json!({"type": "settings", "values": {"prompt": "neon", "strength": 0.5}})).await;
    assert_eq!(anna.text("accepted").await["values"], json!({"prompt": "neon", "strength": 0.5}));
    let Some(Order::Change { stream, origin, values }) = fake.orders.recv().await else { panic!("no change") };
    assert_eq!(
        (&*stream, &*origin, Value::Object(values)),
        ("visitor/anna", "web", json!({"prompt": "neon", "strength": 0.5}))
    );
    anna.say(json!({"type": "settings", "values": {"strength": 7}})).await;
    let refused = anna.text("refused").await;
    assert_eq!(
        refused["errors"][0],
        json!({"setting": "strength", "error": "strength must be a number from 0 to 1, not 7"})
    );
    // What control says comes back, to this stream alone.
    fake.settings(Settings { version: 5, prompt: "neon".to_owned(), ..Settings::of("visitor/anna") });
    let mut status = anna.text("status").await;
    while status["settings"]["prompt"] != "neon" {
        status = anna.text("status").await;
    }
    assert_eq!(status["stream"], "anna");
    assert_ne!(fake.get("/api/settings").json()["settings"]["prompt"], "neon");
    // A friend sees it and may not change it; who watches the house may change the house, as on the page.
    let mut friend = Visitor::watch(&fake, "anna").await;
    friend.say(json!({"type": "settings", "values": {"prompt": "mine"}})).await;
    assert!(friend.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("somebody else's")));
    friend.send(1, 0, &jpeg(64, [0; 3])).await;
    assert!(friend.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("only watches")));
    let mut house = Visitor::watch(&fake, "house").await;
    house.say(json!({"type": "settings", "values": {"seed": 7}})).await;
    house.text("accepted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_settings_of_its_own_follows_the_house() {
    let fake = Live::start(&[]);
    fake.settings(Settings { version: 1, prompt: "first".to_owned(), ..Settings::of("house") });
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    assert_eq!(anna.text("status").await["settings"]["prompt"], "first");
    fake.settings(Settings { version: 2, prompt: "second".to_owned(), ..Settings::of("house") });
    while anna.text("status").await["settings"]["prompt"] != "second" {}
    fake.settings(Settings { version: 3, prompt: "own".to_owned(), ..Settings::of("visitor/anna") });
    fake.settings(Settings { version: 4, prompt: "third".to_owned(), ..Settings::of("house") });
    while anna.text("status").await["settings"]["prompt"] != "own" {}
    assert_eq!(fake.streams.settings("anna").prompt, "own");
    assert_eq!(fake.streams.settings("house").prompt, "third");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_with_the_key_has_the_stream_again_and_nobody_else_does() {
    let fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    anna.text("credit").await;
    let mut thief = Visitor::connect(&fake, json!({"type": "open", "stream": "anna", "key": "guess"})).await;
    assert_eq!(thief.text("ended").await["code"], "taken");
    // The old connection is told why it ends: whoever opens the stream again has not noticed yet that it is gone.
    let mut again = Visitor::open(&fake, "anna", "secret").await;
    again.text("credit").await;
    assert_eq!(anna.text("ended").await["code"], "moved");
    assert_eq!(fake.streams.visitors(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_its_owner_ends_is_over_for_all_and_one_that_is_left_stays_for_a_while() {
    let fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let bert = Visitor::open(&fake, "bert", "other").await;
    let mut friend = Visitor::watch(&fake, "anna").await;
    friend.text("welcome").await;
    anna.say(json!({"type": "end"})).await;
    assert_eq!(friend.text("ended").await["code"], "ended");
    while !matches!(anna.next().await, Said::Closed) {}
    let mut late = Visitor::watch(&fake, "anna").await;
    assert_eq!(late.text("ended").await["code"], "unknown");
    drop(bert);
    while fake.streams.entry_of("bert").is_some_and(|entry| entry.is_live) {
        sleep(Duration::from_millis(10)).await;
    }
    let now = mirror_contract::now_ns();
    fake.streams.tick(now);
    assert!(fake.streams.entry_of("bert").is_some(), "he may come back");
    fake.streams.tick(now + web::streams::LINGER_NS + 1_000_000_000);
    assert!(fake.streams.entry_of("bert").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_places_are_taken_the_next_visitor_is_told_so() {
    let fake = Live::start(&[("WEB_STREAMS_MAX", "2")]);
    let _anna = Visitor::open(&fake, "anna", "1").await;
    let _bert = Visitor::open(&fake, "bert", "2").await;
    let mut carla = Visitor::connect(&fake, json!({"type": "open", "stream": "carla", "key": "3"})).await;
    let ended = carla.text("ended").await;
    assert_eq!(
        (&ended["code"], ended["error"].as_str().is_some_and(|error| error.contains("full"))),
        (&json!("full"), true)
    );
    for name in ["", "a b", "house", "ä", &"x".repeat(49), "ds:anna", "ds@anna"] {
        let mut nobody = Visitor::connect(&fake, json!({"type": "open", "stream": name, "key": "3"})).await;
        assert_eq!(nobody.text("ended").await["code"], "name", "{name}");
    }
    for first in [json!({"type": "settings", "values": {}}), json!([]), json!({"type": "open"})] {
        let mut nobody = Visitor::connect(&fake, first).await;
        assert_eq!(nobody.text("ended").await["code"], "malformed");
    }
}

#[test]
fn an_address_has_so_many_streams_and_no_more_until_one_has_ended() {
    let fake = Fake::start(&[("WEB_STREAMS_PER_ADDRESS", "1")]);
    let open = |name: &str, address: &str| {
        let address = Some(address.parse().expect("an address"));
        fake.streams.open(&Opening { name, key: "secret", origin: "web", address })
    };
    let first = open("anna", "10.0.0.7").expect("the first");
    assert_eq!(open("bert", "10.0.0.7").err(), Some(OpenError::Crowded(1)));
    assert!(open("carla", "10.0.0.8").is_ok());
    // It may come back to its own, from wherever it is by then.
    let again = open("anna", "10.0.0.8").expect("its own");
    assert!(again.is_owner() && !first.is_owner());
    again.end();
    assert!(open("bert", "10.0.0.7").is_ok());
    // This machine's own are not counted: they may be a proxy's.
    assert!(["dora", "emil", "fritz"].iter().all(|name| open(name, "127.0.0.1").is_ok()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_visitor_says_goes_to_the_graph_as_sound_of_its_stream_and_no_faster_than_it_is_spoken() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let samples: Vec<u8> = [0i16, 16384, -32768].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    anna.send(2, 0, &samples).await;
    let Some(Order::Sound(audio)) = fake.orders.recv().await else { panic!("no sound") };
    assert_eq!(
        (&*audio.stamp.stream, audio.sample_rate_hz, &audio.samples[..]),
        ("visitor/anna", 16_000, &[0.0, 0.5, -1.0][..])
    );
    anna.send(2, 0, &vec![0; 2 * 16_001]).await;
    assert!(anna.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("16001 samples")));
    for _ in 0..4 {
        anna.send(2, 0, &vec![0; 2 * 16_000]).await;
    }
    assert!(anna.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("too fast")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_compares_is_sent_what_the_mirrors_paintings_are_made_from_and_nobody_else_is() {
    let mut fake = Live::start(&[]);
    let (mut curious, mut other) = (Visitor::watch(&fake, "house").await, Visitor::watch(&fake, "house").await);
    assert_eq!(curious.text("welcome").await["compares"], json!(true));
    curious.say(json!({"type": "compare", "on": true})).await;
    let Some(Order::Wanted(wanted)) = fake.orders.recv().await else { panic!("the graph is not asked") };
    assert_eq!(wanted.stream, "house");
    let painted = fake::frame(7, 64);
    let mut before = fake::frame(7, 64);
    (before.header.stamp, before.pixels) = (painted.header.stamp.clone(), [200u8, 30, 30].repeat(64 * 64).into());
    fake.streams.before(before);
    fake.show(painted);
    let (head, files) = curious.picture().await;
    let (before, after) = files.split_at(head["before"].as_u64().expect("a length") as usize);
    assert!(is_near(colour(before), [200, 30, 30]), "{head}");
    let (head, alone) = other.picture().await;
    assert_eq!((&head["before"], &alone[..]), (&json!(0), after));
    // As long as that is so the graph is asked again; then no more.
    fake.tick();
    assert!(matches!(fake.orders.try_recv(), Ok(Order::Wanted(_))));
    curious.say(json!({"type": "compare", "on": false})).await;
    curious.say(json!({"type": "settings", "values": {"strength": 7}})).await;
    curious.text("refused").await;
    fake.tick();
    assert!(fake.orders.try_recv().is_err());
    // A visitor's own page has what it sends, and nobody else sees it.
    let _anna = Visitor::open(&fake, "anna", "secret").await;
    let mut friend = Visitor::watch(&fake, "anna").await;
    assert_eq!(friend.text("welcome").await["compares"], json!(false));
    friend.say(json!({"type": "compare", "on": true})).await;
    assert!(friend.text("trouble").await["error"].as_str().is_some_and(|error| error.contains("cannot be compared")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_reads_nothing_holds_up_nobody() {
    let mut fake = Live::start(&[]);
    let mut anna = Visitor::open(&fake, "anna", "secret").await;
    let (mut lazy, mut eager) = (Visitor::watch(&fake, "anna").await, Visitor::watch(&fake, "anna").await);
    let mut last = Value::Null;
    for shade in 0..60u8 {
        anna.text("credit").await;
        anna.send(1, 0, &jpeg(64, [shade; 3])).await;
        let (stamp, ..) = admitted(&mut fake.orders).await;
        fake.streams.taken(&stamp);
        // Pictures that JPEG cannot make small.
        let mut frame = fake::frame(stamp.frame_id, 256);
        frame.header.stamp = stamp;
        fake.streams.picture(frame, mirror_contract::now_ns(), 0);
        last = eager.picture().await.0["frame"].clone();
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        seen.push(lazy.picture().await.0["frame"].clone());
    }
    let numbers: Vec<i64> = seen.iter().filter_map(Value::as_i64).collect();
    assert!(numbers.is_sorted() && numbers.len() < 60, "{numbers:?}");
}
