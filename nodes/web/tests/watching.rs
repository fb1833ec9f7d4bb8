//! What those who watch over the mirror are told: its health, its counters, its nodes, its traces.

mod fake;

use fake::{Client, Fake, config};
use mirror_contract::{Level, Notice};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use web::streams::Opening;

#[test]
fn a_mirror_is_healthy_while_pictures_come_and_says_why_when_none_do() {
    let fake = Fake::start(&[("WEB_SILENCE_MAX", "1s")]);
    let answer = fake.get("/health");
    assert_eq!((answer.status, &answer.json()["reason"]), (503, &json!("no picture has come yet")));
    fake.offer(0, 64);
    let answer = fake.get("/health");
    assert_eq!((answer.status, &answer.json()["pictures"]), (200, &json!(true)));
    let level = Level::Warning;
    let notice =
        Notice { stream: String::new(), origin: "camera".to_owned(), level, text: "clip.mp4 is gone".to_owned() };
    fake.streams.notice(&notice, 5);
    fake.tick();
    let begin = Instant::now();
    while fake.get("/health").status == 200 {
        assert!(begin.elapsed() < Duration::from_secs(20), "still healthy");
    }
    assert!(begin.elapsed() > Duration::from_millis(700), "{:?}", begin.elapsed());
    let body = fake.get("/health").json();
    assert!(body["reason"].as_str().is_some_and(|reason| reason.starts_with("no picture for 1.")), "{body}");
    assert_eq!(body["complaint"], "camera: clip.mp4 is gone");
}

#[test]
fn a_silence_that_is_no_time_is_refused() {
    for text in ["", "0s", "soon", "4000s", "inf", "NaN"] {
        let error = config(&[("WEB_SILENCE_MAX", text)]).expect_err(text).to_string();
        assert!(error.contains("is not a time from 1s to 3600s"), "{error}");
    }
}

/// The values of a page of metrics by name and labels: `mirror_stage_drops_total{stage="decoder"}`.
fn values(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().expect(line)));
    lines.map(|line| pair(line).expect(line)).collect()
}

#[test]
fn the_counters_grow_with_every_picture() {
    let fake = Fake::start(&[]);
    let read = || {
        let answer = fake.get("/metrics");
        assert!(answer.head.contains("application/openmetrics-text"), "{}", answer.head);
        values(&String::from_utf8_lossy(&answer.body))
    };
    let before = read();
    assert_eq!((before["mirror_pictures_total"], before["mirror_silent_seconds"]), (0.0, -1.0));
    assert_eq!(before["mirror_node_up{node=\"camera\"}"], 0.0, "it does not run");
    assert!(!before.contains_key("mirror_node_up{node=\"chat\"}"), "nobody can tell");
    for frame in 0..3 {
        fake.offer(frame, 64);
    }
    let after = read();
    assert_eq!(after["mirror_pictures_total"], 3.0);
    assert_eq!(after["mirror_age_seconds_count"], 3.0);
    assert_eq!(after["mirror_stage_seconds_count{stage=\"decoder\"}"], 3.0);
    // The decoder of these pictures takes 9 ms, and they are 20 ms old when they are made.
    assert!(after["mirror_stage_seconds_sum{stage=\"decoder\"}"] > 0.026, "{after:?}");
    assert_eq!(after["mirror_stage_seconds_bucket{le=\"0.005\",stage=\"decoder\"}"], 0.0);
    assert!(after["mirror_age_seconds_sum"] >= 0.06, "{after:?}");
    let painting = after.keys().find(|name| name.starts_with("mirror_painting{")).expect("a painting");
    assert!(painting.contains("pack=\"starter\"") && painting.contains("provider=\"CPU\""), "{painting}");
}

#[test]
fn who_watches_is_counted() {
    let fake = Fake::start(&[]);
    let connected = || {
        let body = fake.get("/api/nodes").json();
        (body["watching"].clone(), body["listening"].clone())
    };
    assert_eq!(connected(), (json!(0), json!(0)));
    let _watcher = fake.watch();
    let mut listener = Client::ask(fake.address(), "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    listener.head();
    assert_eq!(connected(), (json!(1), json!(1)));
}

#[test]
fn the_nodes_are_those_of_the_dataflow_file() {
    let body = Fake::start(&[]).get("/api/nodes").json();
    let nodes = json!([
        {"id": "camera", "inputs": [], "state": "gone", "process": null},
        {"id": "chat", "inputs": [], "state": "by_hand", "process": null},
    ]);
    assert_eq!(body["nodes"], nodes);
    assert_eq!((&body["dataflow"], &body["clients_max"]), (&json!("5a-fake"), &json!(32)));
}

#[test]
fn visitors_are_listed_and_their_names_are_for_this_machine_alone() {
    let fake = Fake::start(&[]);
    assert_eq!(fake.get("/api/nodes").json()["visitors"], json!([]));
    let opening = Opening { name: "anna", key: "her secret", origin: "web", address: None };
    let _owner = fake.streams.open(&opening).expect("there is a place");
    let _friend = fake.streams.watch("anna").expect("there is a place");
    let ask = |more: &str| {
        let request = format!("GET /api/nodes HTTP/1.1\r\nHost: localhost\r\n{more}Connection: close\r\n\r\n");
        Client::ask(fake.address(), &request).whole().json()["visitors"].clone()
    };
    let anna = json!([{"name": "anna", "origin": "web", "is_live": true, "fps": 0.0, "viewers": 1}]);
    assert_eq!(ask(""), anna);
    // Through a proxy of this machine anybody may ask, and whoever knows a name may watch.
    let nobody = json!([{"origin": "web", "is_live": true, "fps": 0.0, "viewers": 1}]);
    assert_eq!(ask("X-Forwarded-For: 10.0.0.7\r\n"), nobody);
    assert_eq!(ask("Forwarded: for=10.0.0.7\r\n"), nobody);
}

#[test]
fn pictures_are_traced_to_a_collector_and_go_on_without_one() {
    // It takes connections and says nothing: what was sent is there to be read.
    let collector = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", collector.local_addr().expect("an address"));
    let fake = Fake::start(&[("DORA_OTLP_ENDPOINT", &address)]);
    fake.offer(0, 64);
    assert_eq!(fake.get("/health").status, 200);
    let (mut socket, _) = collector.accept().expect("the exporter");
    let mut preface = [0; 14];
    std::io::Read::read_exact(&mut socket, &mut preface).expect("a preface");
    // HTTP/2 (RFC 9113, 3.4), which gRPC speaks.
    assert_eq!(&preface, b"PRI * HTTP/2.0");
}

#[test]
fn an_address_of_a_collector_that_is_none_is_named() {
    let config = config(&[("DORA_OTLP_ENDPOINT", "not an address")]).expect("looked at when it is used");
    let error = web::press::Press::start(&config).err().expect("no address").to_string();
    assert!(error.contains("DORA_OTLP_ENDPOINT=\"not an address\"") && error.contains("4317"), "{error}");
}
