//! Real-Time LCM: every conversation of its protocol.

use crate::mirror::{Mirror, PATIENCE, Said, Socket, colour, head, is_near, jpeg, until};
use mirror_contract::{HOUSE, Settings};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

const HERE: &str = "Real-Time LCM";
const ID: &str = "0b1ef6b2-2c9d-4f4e-9f6c-6f2f4f0c7a11";

async fn enter(mirror: &Mirror, id: &str) -> Socket {
    let mut socket = mirror.socket(HERE, &format!("/api/ws/{id}")).await;
    assert_eq!(socket.json().await, json!({"status": "connected", "message": "Connected"}));
    assert_eq!(socket.json().await, json!({"status": "wait"}));
    assert_eq!(socket.json().await, json!({"status": "send_frame"}));
    socket
}

async fn frame(socket: &mut Socket, parameters: Value, picture: &[u8]) {
    socket.say(json!({"status": "next_frame"})).await;
    socket.say(parameters).await;
    socket.binary(picture).await;
}

/// Somebody who looks at the pictures of a visitor.
struct Looker(BufReader<TcpStream>);

impl Looker {
    fn at(mirror: &Mirror, id: &str) -> Self {
        let mut socket = TcpStream::connect(mirror.at(HERE)).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        write!(socket, "GET /api/stream/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request");
        let mut socket = BufReader::new(socket);
        let head = head(&mut socket).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: multipart/x-mixed-replace;boundary=frame"), "{head}");
        assert!(head.contains("cache-control: no-cache"), "{head}");
        Self(socket)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut size = String::new();
        self.0.read_line(&mut size).expect("a size");
        let size = usize::from_str_radix(size.trim(), 16).expect("a number");
        let mut bytes = vec![0; size + 2];
        self.0.read_exact(&mut bytes).expect("a chunk");
        bytes.truncate(size);
        bytes
    }

    fn picture(&mut self) -> Vec<u8> {
        let mut part = self.bytes();
        if part == b"--frame\r\n" {
            part = self.bytes();
        }
        let at = part.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8_lossy(&part[..at]).into_owned();
        let body = &part[at..];
        // The boundary of the next part comes with this one: browsers wait for it.
        let jpeg = body.strip_suffix(b"\r\n--frame\r\n").expect("a boundary");
        assert_eq!(head, format!("Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len()));
        jpeg.to_vec()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_sends_what_it_is_asked_for_and_sees_it_painted() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror, ID).await;
    let mut looker = Looker::at(&mirror, ID);
    for colour_sent in [[200, 30, 30], [30, 200, 30], [30, 30, 200]] {
        let parameters = json!({"prompt": "neon", "negative_prompt": "mud", "seed": 2_159_232, "steps": 2, "width": 256,
            "height": 256, "guidance_scale": 1.2, "strength": 0.5, "controlnet_scale": 0.8, "debug_canny": false});
        frame(&mut socket, parameters, &jpeg(colour_sent)).await;
        assert_eq!(socket.json().await, json!({"status": "wait"}));
        assert!(is_near(colour(&looker.picture()), colour_sent));
        assert_eq!(socket.json().await, json!({"status": "send_frame"}));
    }
    let settings = mirror.streams.settings(&format!("rt:{ID}"));
    assert_eq!((settings.prompt.as_str(), settings.negative_prompt.as_str()), ("neon", "mud"));
    assert_eq!((settings.seed, settings.steps, settings.size), (2_159_232, 2, 256));
    assert_eq!((settings.guidance_scale, settings.strength), (1.2, 0.5));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_for_pictures_that_nobody_looks_at() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror, ID).await;
    frame(&mut socket, json!({}), &jpeg([9, 9, 9])).await;
    assert_eq!(socket.json().await, json!({"status": "wait"}));
    assert!(socket.is_silent().await);
    let _looker = Looker::at(&mirror, ID);
    assert_eq!(socket.json().await, json!({"status": "send_frame"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_picture_is_asked_for_again() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror, ID).await;
    frame(&mut socket, json!({}), b"").await;
    assert_eq!(socket.json().await, json!({"status": "send_frame"}));
    frame(&mut socket, json!({}), &jpeg([9, 9, 9])).await;
    assert_eq!(socket.json().await, json!({"status": "wait"}));
}

/// Its page answers with empty pictures for as long as its camera starts, as fast as it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_camera_takes_its_time_is_asked_slowly_and_stays() {
    let mirror = Mirror::start(&[("WEB_MESSAGES_MAX", "70")]);
    let mut socket = enter(&mirror, ID).await;
    // Without a rest in between these are far more messages than a socket may send.
    for _ in 0..120 {
        frame(&mut socket, json!({}), b"").await;
        assert_eq!(socket.json().await, json!({"status": "send_frame"}));
    }
    frame(&mut socket, json!({}), &jpeg([9, 9, 9])).await;
    assert_eq!(socket.json().await, json!({"status": "wait"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_counts_visitors_and_a_full_one_says_so_and_closes() {
    let mirror = Mirror::start(&[("WEB_QUEUE_MAX", "1")]);
    assert_eq!(mirror.get(HERE, "/api/queue", "").json(), json!({"queue_size": 0}));
    let first = enter(&mirror, ID).await;
    assert_eq!(mirror.get(HERE, "/api/queue", "").json(), json!({"queue_size": 1}));
    let other = "0b1ef6b2-2c9d-4f4e-9f6c-6f2f4f0c7a12";
    let mut second = mirror.socket(HERE, &format!("/api/ws/{other}")).await;
    assert_eq!(second.json().await, json!({"status": "error", "message": "Server is full"}));
    assert_eq!(second.next().await, Said::Closed(Some(1013)));
    drop(first);
    until("a place is free", || mirror.get(HERE, "/api/queue", "").json()["queue_size"] == 0).await;
    enter(&mirror, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_its_time_whatever_happens_in_it() {
    let mirror = Mirror::start(&[("WEB_SESSION_MAX", "0.5s")]);
    let mut socket = enter(&mirror, ID).await;
    frame(&mut socket, json!({}), &jpeg([9, 9, 9])).await;
    assert_eq!(socket.json().await, json!({"status": "wait"}));
    assert_eq!(socket.json().await, json!({"status": "timeout", "message": "Your session has ended"}));
    assert!(matches!(socket.next().await, Said::Closed(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_text_mode_prompts_are_painted_without_pictures_and_only_new_ones() {
    let mirror = Mirror::start(&[("WEB_REALTIME_MODE", "text")]);
    let form = mirror.get(HERE, "/api/settings", "").json();
    assert_eq!(form["info"]["properties"]["input_mode"]["default"], "text");
    let mut socket = enter(&mirror, ID).await;
    let mut looker = Looker::at(&mirror, ID);
    for _ in 0..2 {
        socket.say(json!({"status": "next_frame"})).await;
        socket.say(json!({"prompt": "a cat"})).await;
        assert_eq!(socket.json().await, json!({"status": "wait"}));
        assert_eq!(socket.json().await, json!({"status": "send_frame"}));
    }
    assert!(is_near(colour(&looker.picture()), [127, 127, 127]));
    let list = mirror.streams.list();
    let stream = list.iter().find(|entry| entry.origin == "realtime").expect("the stream");
    assert_eq!(stream.tally.expect("a visitor's").offered, 1);
    assert!(mirror.streams.settings(&stream.name).text_to_image);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_has_the_parameters_in_the_defaults_of_schemas() {
    let mirror = Mirror::start(&[("WEB_QUEUE_MAX", "7")]);
    let form = mirror.get(HERE, "/api/settings", "").json();
    assert_eq!(form["max_queue_size"], 7);
    let info = &form["info"]["properties"];
    for key in ["name", "title", "description", "input_mode", "page_content"] {
        assert!(info[key]["default"].is_string(), "{key}");
    }
    assert_eq!(info["input_mode"]["default"], "image");
    let prompt = &form["input_params"]["properties"]["prompt"];
    assert_eq!(
        (&prompt["field"], &prompt["id"], &prompt["type"]),
        (&json!("textarea"), &json!("prompt"), &json!("string"))
    );
    let strength = &form["input_params"]["properties"]["strength"];
    let range = (&strength["min"], &strength["max"], &strength["step"], &strength["field"]);
    assert_eq!(range, (&json!(0.0), &json!(1.0), &json!(0.001), &json!("range")));
    assert!(form["page_content"].as_str().expect("a text").starts_with("<p>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_begins_as_the_house_is_painted() {
    let mirror = Mirror::start(&[]);
    let first = mirror.get(HERE, "/api/settings", "").json();
    let prompt = first["input_params"]["properties"]["prompt"]["default"].clone();
    assert!(!prompt.as_str().expect("a text").is_empty());
    let house = Settings { version: 1, size: 256, strength: 0.35, prompt: String::new(), ..Settings::of(HOUSE) };
    mirror.streams.take(house.clone());
    let form = mirror.get(HERE, "/api/settings", "").json();
    let default = |name: &str| form["input_params"]["properties"][name]["default"].clone();
    assert_eq!((default("width"), default("height"), default("size")), (json!(256), json!(256), json!(256)));
    assert_eq!((default("strength"), default("prompt")), (json!(0.35), prompt));
    mirror.streams.take(Settings { version: 2, prompt: "neon".to_owned(), ..house });
    let form = mirror.get(HERE, "/api/settings", "").json();
    assert_eq!(form["input_params"]["properties"]["prompt"]["default"], "neon");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_conversation_is_answered_in_its_form_and_closed() {
    let mirror = Mirror::start(&[]);
    for (index, texts) in [
        vec!["not JSON"],
        vec!["[]"],
        vec!["{}"],
        vec![r#"{"status": "next_frame"}"#, r#"{"steps": "many"}"#],
        vec![r#"{"status": "next_frame"}"#, "{}", "{}"],
    ]
    .into_iter()
    .enumerate()
    {
        let mut socket = enter(&mirror, &format!("0b1ef6b2-2c9d-4f4e-9f6c-6f2f4f0c7b{index:02}")).await;
        for text in texts {
            socket.text(text).await;
        }
        let answer = socket.json().await;
        assert_eq!(answer["status"], "error");
        assert!(!answer["message"].as_str().expect("a text").is_empty());
        assert!(matches!(socket.next().await, Said::Closed(Some(1007))));
    }
    let mut socket = enter(&mirror, ID).await;
    socket.binary(b"out of order").await;
    assert_eq!(socket.json().await["status"], "error");
    let mut socket = enter(&mirror, ID).await;
    frame(&mut socket, json!({}), b"no picture").await;
    assert_eq!(socket.json().await["status"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_none_are_answered_as_its_server_does() {
    let mirror = Mirror::start(&[]);
    let answer = mirror.get(HERE, &format!("/api/stream/{ID}"), "");
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (404, true));
    let answer = mirror.get(HERE, "/api/stream/none", "");
    assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["path", "user_id"])));
    let answer = mirror.get(HERE, "/nowhere", "");
    assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not Found"})));
    let answer = mirror.send(HERE, "POST", "/api/queue", "{}");
    assert_eq!((answer.status, answer.json()), (405, json!({"detail": "Method Not Allowed"})));
    let answer = mirror.get(HERE, &format!("/api/ws/{ID}"), "");
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (426, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_see_their_own_pictures_and_nobody_elses() {
    let mirror = Mirror::start(&[]);
    let colours = [[220, 20, 20], [20, 220, 20], [20, 20, 220], [200, 200, 20]];
    let ids: Vec<String> =
        (0..colours.len()).map(|index| format!("0b1ef6b2-2c9d-4f4e-9f6c-6f2f4f0c7c{index:02}")).collect();
    let mut visitors = Vec::new();
    for id in &ids {
        visitors.push((enter(&mirror, id).await, Looker::at(&mirror, id)));
    }
    for _ in 0..5 {
        for ((socket, _), colour) in visitors.iter_mut().zip(colours) {
            frame(socket, json!({}), &jpeg(colour)).await;
        }
        for ((socket, looker), sent) in visitors.iter_mut().zip(colours) {
            assert!(is_near(colour(&looker.picture()), sent));
            assert_eq!(socket.json().await, json!({"status": "wait"}));
            assert_eq!(socket.json().await, json!({"status": "send_frame"}));
        }
    }
}
