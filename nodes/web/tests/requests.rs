//! What the addresses answer, to good requests and to bad ones.

mod fake;

use fake::{Client, Fake, config};
use mirror_contract::parameters::PARAMETERS;
use mirror_contract::{Level, Notice, Settings};
use mirror_kit::Figures;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use web::check;
use web::server::{Places, Server};
use web::streams::{ORDERS, Order};

const JSON: &str = "application/json";

fn wish(fake: &mut Fake) -> Option<Value> {
    match fake.orders.try_recv() {
        Ok(Order::Change { stream, origin, values }) => {
            assert_eq!((&*stream, &*origin), ("house", "web"));
            Some(Value::Object(values))
        }
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    }
}

fn notice(stream: &str, origin: &str, level: Level, text: &str) -> Notice {
    Notice { stream: stream.to_owned(), origin: origin.to_owned(), level, text: text.to_owned() }
}

#[test]
fn the_page_and_its_files_are_served() {
    let fake = Fake::start(&[]);
    for (path, kind) in [
        ("/", "text/html"),
        ("/style.css", "text/css"),
        ("/script.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = fake.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.head.contains(kind) && answer.head.contains("content-security-policy"), "{}", answer.head);
        assert!(!answer.body.is_empty());
    }
    assert_eq!(fake.get("/nowhere").status, 404);
    assert_eq!(fake.get("/../Cargo.toml").status, 404);
    assert_eq!(fake.post("/stream", JSON, b"{}").status, 405);
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let fake = Fake::start(&[]);
    for path in ["/", "/style.css", "/script.js"] {
        let text = String::from_utf8(fake.get(path).body).expect("text");
        assert!(!text.contains("//cdn") && !text.contains("https://") && !text.contains("url(http"), "{path}");
    }
}

#[test]
fn the_settings_come_with_the_table_that_the_form_is_made_of() {
    let fake = Fake::start(&[]);
    fake.settings(Settings { version: 3, seed: 77, ..Settings::of("house") });
    fake.settings(Settings { version: 9, seed: 1, ..Settings::of("guest") });
    let body = fake.get("/api/settings").json();
    assert_eq!(
        (&body["stream"], &body["version"], &body["settings"]["seed"]),
        (&json!("house"), &json!(3), &json!(77))
    );
    let rows = body["parameters"].as_array().expect("a list");
    assert_eq!(rows.len(), PARAMETERS.len());
    for (row, parameter) in rows.iter().zip(PARAMETERS) {
        assert_eq!((&row["name"], &row["range"]), (&json!(parameter.name), &json!(parameter.range())));
        assert_eq!((&row["text"], &row["default"]), (&json!(parameter.text), &parameter.default()));
    }
    let strength = rows.iter().find(|row| row["name"] == "strength").expect("a row");
    assert_eq!((&strength["kind"], &strength["min"], &strength["max"]), (&json!("number"), &json!(0.0), &json!(1.0)));
}

#[test]
fn a_change_is_answered_with_what_was_accepted_and_goes_to_the_graph() {
    let mut fake = Fake::start(&[]);
    let answer =
        fake.post("/api/settings", "application/json; charset=utf-8", br#"{"prompt": "neon", "strength": 0.5}"#);
    assert_eq!(answer.status, 200);
    let values = json!({"prompt": "neon", "strength": 0.5});
    assert_eq!(answer.json(), json!({"accepted": values}));
    assert_eq!(wish(&mut fake), Some(values));
}

#[test]
fn a_change_with_a_fault_is_refused_as_a_whole_and_the_range_is_named() {
    let mut fake = Fake::start(&[]);
    let answer = fake.post("/api/settings", JSON, br#"{"strength": 7, "sede": 1, "seed": 5}"#);
    assert_eq!(answer.status, 422);
    let body = answer.json();
    assert_eq!(
        body["errors"][0],
        json!({"setting": "strength", "error": "strength must be a number from 0 to 1, not 7"})
    );
    assert_eq!(body["errors"][1]["setting"], "sede");
    assert_eq!(wish(&mut fake), None);
}

#[test]
fn a_processor_that_no_pack_has_is_refused_with_those_that_there_are() {
    let starter = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/starter");
    let fake = Fake::start(&[("MIRROR_PACK", starter), ("MIRROR_PACKS", starter)]);
    let answer = fake.post("/api/settings", JSON, br#"{"processor": "sdxl"}"#);
    assert_eq!(answer.status, 422);
    assert!(answer.json()["errors"][0]["error"].as_str().expect("a text").contains("must be one of turbo"));
}

#[test]
fn what_is_not_json_is_refused() {
    let mut fake = Fake::start(&[]);
    let deep = "[".repeat(5000);
    for body in ["", "{", "[1, 2]", "7", "prompt=neon", "\u{0}", "{\"a\"", deep.as_str()] {
        let answer = fake.post("/api/settings", JSON, body.as_bytes());
        assert_eq!(answer.status, 422, "{body:.20}");
        assert_eq!(answer.json()["errors"][0]["setting"], "");
    }
    assert_eq!(fake.post("/api/settings", JSON, b"\xff\xfe").status, 422);
    assert_eq!(fake.post("/api/settings", "text/plain", b"{\"seed\": 1}").status, 415);
    assert_eq!(fake.post("/api/settings", "application/x-www-form-urlencoded", b"seed=1").status, 415);
    assert_eq!(wish(&mut fake), None);
}

#[test]
fn a_body_that_is_too_big_is_refused() {
    let fake = Fake::start(&[]);
    let answer = fake.post("/api/settings", JSON, &vec![b' '; 70_000]);
    assert_eq!(answer.status, 413);
    assert!(answer.json()["errors"][0]["error"].as_str().expect("a text").contains("65536"));
}

#[test]
fn a_head_that_is_too_big_or_nonsense_ends_the_connection_and_nothing_else() {
    let fake = Fake::start(&[]);
    for request in [
        format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)),
        "\u{1}\u{2}\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
    ] {
        let mut client =
            Client(std::io::BufReader::new(std::net::TcpStream::connect(fake.address()).expect("a connection")));
        let _ = std::io::Write::write_all(client.0.get_mut(), request.as_bytes());
        let mut line = String::new();
        let _ = std::io::BufRead::read_line(&mut client.0, &mut line);
        assert!(line.is_empty() || line.starts_with("HTTP/1.1 4"), "{line}");
    }
    assert_eq!(fake.get("/api/figures").status, 200);
}

#[test]
fn a_flood_of_changes_is_turned_away_when_the_graph_does_not_take_them() {
    let fake = Fake::start(&[]);
    for _ in 0..ORDERS {
        assert_eq!(fake.post("/api/settings", JSON, b"{\"seed\": 1}").status, 200);
    }
    assert_eq!(fake.post("/api/settings", JSON, b"{\"seed\": 1}").status, 503);
}

#[test]
fn another_sites_name_for_this_machine_is_not_answered() {
    let fake = Fake::start(&[]);
    let request = "GET /picture.jpg HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let answer = Client::ask(fake.address(), request).whole();
    assert_eq!(answer.status, 403);
    assert!(String::from_utf8_lossy(&answer.body).contains("WEB_ADDRESS"));
}

#[test]
fn the_figures_tell_what_the_last_picture_was() {
    let fake = Fake::start(&[]);
    fake.streams.notice(&notice("", "camera", Level::Info, "back: film clip.mp4"), 5);
    fake.streams.notice(&notice("guest", "chat", Level::Warning, "not ours"), 6);
    fake.offer(0, 64);
    fake.tick();
    let body = fake.get("/api/figures").json();
    assert_eq!(
        (&body["prompt"], &body["pack"], &body["provider"]),
        (&json!("a pencil drawing"), &json!("starter"), &json!("CPU"))
    );
    assert_eq!((&body["frames"], &body["source"]), (&json!(1), &json!(fake::SOURCE)));
    assert_eq!(body["notices"].as_array().expect("a list").len(), 1);
    assert!(body["age_ms"]["p50"].as_f64().expect("a number") >= 20.0);
    assert_eq!(body["stages"][0]["stage"], "decoder");
}

#[test]
fn the_first_picture_with_a_prompt_is_news() {
    let mut board = web::board::Board::of("house");
    assert_eq!(board.status((Figures::default().summary(0), None)).painted, None);
    let mut header = fake::frame(0, 64).header;
    assert!(board.picture(&header) && !board.picture(&header));
    assert_eq!(board.status((Figures::default().summary(0), None)).painted.as_deref(), Some("a pencil drawing"));
    header.painting = None;
    assert!(!board.picture(&header));
}

#[test]
fn a_notice_for_all_is_said_with_the_next_figures_and_one_for_a_stream_at_once() {
    let fake = Fake::start(&[]);
    let mut status = fake.streams.house();
    status.mark_unchanged();
    for index in 0..3 {
        fake.streams.notice(&notice("", "camera", Level::Warning, &format!("notice {index}")), 0);
    }
    assert!(!status.has_changed().expect("it is there"));
    fake.tick();
    assert!(status.has_changed().expect("it is there"));
    assert_eq!(status.borrow_and_update().notices.len(), 3);
    fake.streams.notice(&notice("house", "chat", Level::Warning, "no such setting"), 0);
    assert!(status.has_changed().expect("it is there"));
    assert_eq!(status.borrow_and_update().notices.back().expect("a notice").text, "no such setting");
}

#[test]
fn only_the_last_notices_are_kept() {
    let fake = Fake::start(&[]);
    for index in 0..30 {
        fake.streams
            .notice(&notice("house", "camera", Level::Warning, &format!("notice {index} {}", "x".repeat(1000))), 0);
    }
    fake.tick();
    let body = fake.get("/api/figures").json();
    let notices = body["notices"].as_array().expect("a list");
    assert_eq!(notices.len(), 20);
    assert_eq!((&notices[0]["id"], &notices[19]["id"]), (&json!(11), &json!(30)));
    assert_eq!(notices[0]["text"].as_str().expect("a text").len(), 500);
}

#[test]
fn events_come_at_once_and_with_every_tick() {
    let fake = Fake::start(&[]);
    let mut client = Client::ask(fake.address(), "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(client.head().contains("text/event-stream"));
    let mut event = || loop {
        if let Some(data) = client.line().strip_prefix("data: ") {
            return serde_json::from_str::<Value>(data).expect("JSON");
        }
    };
    assert_eq!(event()["silent_ms"], Value::Null);
    fake.settings(Settings { version: 1, prompt: "neon".to_owned(), ..Settings::of("house") });
    assert_eq!(event()["settings"]["prompt"], "neon");
    // What is painted is said at once, the figures with the tick.
    fake.offer(0, 64);
    assert_eq!(event()["painted"], "a pencil drawing");
    fake.tick();
    while event()["figures"]["frames"] != 1 {}
}

#[test]
fn the_packs_looks_are_suggested() {
    let pack = tempfile::tempdir().expect("a directory");
    let path = pack.path().to_str().expect("a path").to_owned();
    assert_eq!(Fake::start(&[("MIRROR_PACK", &path)]).get("/api/looks").json(), json!({"looks": []}));
    let looks = json!({"looks": [
        {"name": "pencil", "kind": "look", "example": "a pencil drawing"},
        {"name": "warm", "kind": "colour", "example": "in warm colours"},
        {"name": "neon", "kind": "look", "example": "neon lights"},
        {"name": "mute"},
    ]});
    std::fs::write(pack.path().join("looks.json"), looks.to_string()).expect("a file");
    let fake = Fake::start(&[("MIRROR_PACK", &path)]);
    assert_eq!(fake.get("/api/looks").json(), json!({"looks": ["a pencil drawing", "neon lights"]}));
    std::fs::write(pack.path().join("looks.json"), "{").expect("a file");
    assert_eq!(Fake::start(&[("MIRROR_PACK", &path)]).get("/api/looks").json(), json!({"looks": []}));
}

#[test]
fn a_port_that_is_taken_is_an_error_with_the_remedy() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("an address");
    let error =
        Server::start(address, Places::of(1), axum::Router::new()).err().expect("the port is taken").to_string();
    assert!(error.contains(&address.to_string()) && error.contains("WEB_ADDRESS="), "{error}");
}

#[test]
fn an_address_of_another_machine_is_an_error_with_the_remedy() {
    let address = "192.0.2.1:8080".parse().expect("an address");
    let error = Server::start(address, Places::of(1), axum::Router::new()).err().expect("not ours").to_string();
    assert!(error.contains("192.0.2.1:8080") && error.contains("WEB_ADDRESS="), "{error}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_named() {
    for (name, value) in
        [("WEB_ADDRESS", "8080"), ("WEB_JPEG_QUALITY", "0"), ("WEB_CLIENTS_MAX", "many"), ("WEB_PORT", "1")]
    {
        let error = config(&[(name, value)]).expect_err(name).to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_client_that_sends_half_a_request_holds_back_nobody() {
    let fake = Fake::start(&[]);
    let _half: Vec<Client> = (0..20)
        .map(|_| Client::ask(fake.address(), "POST /api/settings HTTP/1.1\r\nHost: localhost\r\nContent-Le"))
        .collect();
    let start = Instant::now();
    assert_eq!(fake.get("/api/figures").status, 200);
    assert!(start.elapsed() < Duration::from_secs(1));
}

proptest! {
    #[test]
    fn any_body_is_accepted_or_refused_and_what_is_accepted_is_allowed(body in "\\PC{0,60}", name in "[a-z_]{0,12}", value in "[-0-9.e\"tfalsru]{0,8}") {
        for body in [body, format!("{{\"{name}\": {value}}}"), format!("{{\"strength\": {value}}}")] {
            let Ok(object) = check::object(body.as_bytes()) else { continue };
            if check::values(&object, &[]).is_ok() {
                let mut settings = Settings::default();
                for (name, value) in &object {
                    prop_assert!(settings.set(name, value).is_ok());
                }
            }
        }
    }
}
