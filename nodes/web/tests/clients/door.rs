//! Who comes in: tokens, names, other sites, TLS, limits.

use crate::mirror::{LISTENERS, Mirror, Said, jpeg};
use mirror_protocols::picture;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Error;
use web::streams::{OpenError, Opening};

const TOKEN: &str = "correct-horse";
const ID: &str = "0b1ef6b2-2c9d-4f4e-9f6c-6f2f4f0c7a11";
const SOCKETS: [(&str, &str); 4] = [
    ("page", "/visit"),
    ("Real-Time LCM", "/api/ws/0b1ef6b2-2c9d-4f4e-9f6c-6f2f4f0c7a11"),
    ("Live Diffusion", "/ws"),
    ("DreamStream", "/ws/broadcaster/a"),
];

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::Http(answer) => Some(answer.status().as_u16()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_nobody_comes_in_through_any_door() {
    let mirror = Mirror::start(&[("WEB_TOKEN", TOKEN)]);
    for name in LISTENERS {
        for path in ["/", "/api/settings", "/openapi.json", "/docs", "/nowhere", "/?token=correct-hors"] {
            let answer = mirror.get(name, path, "");
            assert_eq!(answer.status, 401, "{name} {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"mirror\", charset=\"UTF-8\""));
            let form = if name == "page" { "errors" } else { "detail" };
            assert!(!answer.json()[form].is_null(), "{name}");
        }
    }
    for (name, path) in SOCKETS {
        let refused = mirror.socket_with(name, path, &[]).await.err().expect("refused");
        assert_eq!(status(&refused), Some(401), "{name}");
        let address = format!("{path}?token={TOKEN}");
        assert!(mirror.socket_with(name, &address, &[]).await.is_ok(), "{name}");
        let bearer = format!("Bearer {TOKEN}");
        assert!(mirror.socket_with(name, path, &[("authorization", &bearer)]).await.is_ok(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_shown_once_and_goes_out_of_the_address() {
    let mirror = Mirror::start(&[("WEB_TOKEN", TOKEN)]);
    let answer = mirror.get("page", "/?a=b&token=correct-horse", "Accept: text/html\r\n");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?a=b")));
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains(TOKEN), "{cookie}");
    let pair = cookie.split(';').next().expect("a pair");
    // Cookies do not know of ports: whoever is in at the page is in at every door.
    for name in LISTENERS {
        assert_eq!(mirror.get(name, "/", &format!("Cookie: {pair}\r\n")).status, 200, "{name}");
    }
    for (name, path) in SOCKETS {
        assert!(mirror.socket_with(name, path, &[("cookie", pair)]).await.is_ok(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_open_no_sockets_and_change_nothing() {
    let mirror = Mirror::start(&[("WEB_ORIGINS", "https://art.example")]);
    for (name, path) in SOCKETS {
        for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
            let refused = mirror.socket_with(name, path, &[("origin", origin)]).await.err().expect("refused");
            assert_eq!(status(&refused), Some(403), "{name} {origin}");
        }
        for origin in ["http://localhost:5173", "http://127.0.0.1:7860", "https://art.example"] {
            assert!(mirror.socket_with(name, path, &[("origin", origin)]).await.is_ok(), "{name} {origin}");
        }
    }
    let put = "PUT /api/settings HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{\"settings\": {\"prompt\": \"hacked\"}}";
    assert_eq!(mirror.ask("Live Diffusion", put).status, 403);
}

/// Their numbers and names are no secrets: DreamStream's are listed at `/streams`.
#[tokio::test(flavor = "multi_thread")]
async fn who_knows_the_name_of_another_protocols_stream_does_not_get_it() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = mirror.socket("DreamStream", "/ws/broadcaster/a").await;
    broadcaster.of_type("processor_info").await;
    broadcaster.say(json!({"type": "subscribe_to_processed_frames"})).await;
    broadcaster.of_type("subscription_confirmed").await;
    let mut visitor = mirror.socket("Real-Time LCM", SOCKETS[1].1).await;
    for status in ["connected", "wait", "send_frame"] {
        assert_eq!(visitor.json().await["status"], status);
    }
    let number = format!("rt:{ID}");
    for (name, key) in [("ds:a", "a"), (number.as_str(), ID)] {
        let mut thief = mirror.socket("page", "/visit").await;
        thief.say(json!({"type": "open", "stream": name, "key": key})).await;
        let ended = thief.json().await;
        assert_eq!((&ended["type"], &ended["code"]), (&json!("ended"), &json!("name")), "{ended}");
        // Nor does whoever may choose such names: the key is that of another protocol.
        let opened = mirror.streams.open(&Opening { name, key, origin: "other", address: None });
        assert_eq!(opened.err(), Some(OpenError::Taken), "{name}");
    }
    let mut squatter = mirror.socket("page", "/visit").await;
    squatter.say(json!({"type": "open", "stream": "ds:later", "key": "mine"})).await;
    assert_eq!(squatter.json().await["code"], "name");
    // Both go on.
    broadcaster.say(json!({"type": "frame", "frame": picture::encode(&jpeg([9, 9, 9]))})).await;
    broadcaster.of_type("frame").await;
    visitor.say(json!({"status": "next_frame"})).await;
    visitor.say(json!({})).await;
    visitor.binary(&jpeg([9, 9, 9])).await;
    assert_eq!(visitor.json().await, json!({"status": "wait"}));
}

/// Browsers ask before they let a page of another site ask, and show no token when they do.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_trusted_sites_may_ask_at_every_door_and_no_others() {
    let mirror = Mirror::start(&[("WEB_TOKEN", TOKEN), ("WEB_ORIGINS", "https://art.example")]);
    for name in LISTENERS {
        for (origin, allowed) in [
            ("http://localhost:5173", Some("http://localhost:5173")),
            ("https://art.example", Some("https://art.example")),
            ("https://evil.example", None),
            ("null", None),
        ] {
            let asks = format!(
                "OPTIONS /api/settings HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type,authorization\r\nConnection: close\r\n\r\n"
            );
            let answer = mirror.ask(name, &asks);
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{name} {origin}");
            assert!(answer.status < 300, "{name} {origin}: {}", answer.head);
            for (header, value) in [("methods", "PUT"), ("methods", "POST"), ("headers", "authorization")] {
                let told = answer.header(&format!("access-control-allow-{header}")).unwrap_or_default();
                assert!(told.contains(value), "{name}: {}", answer.head);
            }
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{name}");
            // And the answer itself may be read, an error too.
            let answer = mirror.get(name, "/api/settings", &format!("Origin: {origin}\r\n"));
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, allowed), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_name_for_this_machine_is_not_answered_at_any_door() {
    let mirror = Mirror::start(&[]);
    for name in LISTENERS {
        let answer = mirror.ask(name, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
        assert_eq!(answer.status, 403, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_says_what_it_speaks_and_where_the_page_is() {
    let mirror = Mirror::start(&[]);
    for name in &LISTENERS[1..] {
        let text = mirror.get(name, "/", "Accept: text/html\r\n").text();
        assert!(text.contains(name) && text.contains("http://localhost:8080/") && text.contains("/docs"), "{text}");
        assert!(mirror.get(name, "/", "").json()["message"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_answered_and_closed() {
    let mirror = Mirror::start(&[("WEB_MESSAGE_MAX", "1MiB")]);
    let mut socket = mirror.socket("Live Diffusion", "/ws").await;
    socket.json().await;
    socket.binary(&vec![0; 1_200_000]).await;
    assert_eq!(socket.json().await["type"], "error");
    assert_eq!(socket.next().await, Said::Closed(Some(1009)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_messages_is_answered_and_closed() {
    let mirror = Mirror::start(&[("WEB_MESSAGES_MAX", "10")]);
    let mut socket = mirror.socket("DreamStream", "/ws/viewer/a").await;
    for _ in 0..41 {
        socket.say(json!({"type": "ping"})).await;
    }
    loop {
        match socket.next().await {
            Said::Text(text) if text["type"] == "error" => break,
            Said::Text(_) => {}
            said => panic!("{said:?}"),
        }
    }
    assert_eq!(socket.next().await, Said::Closed(Some(1008)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_silent_for_too_long_is_closed_and_its_place_is_free() {
    let mirror = Mirror::start(&[("WEB_IDLE_MAX", "1s")]);
    let mut alive = mirror.socket("Live Diffusion", "/ws").await;
    alive.json().await;
    // Half a handshake, and a whole one whose client never answers a ping: nothing reads this socket.
    let dead = mirror.socket("Live Diffusion", "/ws").await;
    let count = || mirror.get("Live Diffusion", "/api/status", "").json()["active_connections"].clone();
    assert_eq!(count(), 2);
    // Reading answers pings.
    assert!(tokio::time::timeout(Duration::from_secs(4), alive.next()).await.is_err());
    assert_eq!(count(), 1);
    drop(dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_names_a_path_of_the_machine() {
    let mirror = Mirror::start(&[]);
    let root = env!("CARGO_MANIFEST_DIR").trim_end_matches("/nodes/web");
    for name in LISTENERS {
        for path in [
            "/",
            "/api/settings",
            "/api/models",
            "/api/status",
            "/processors",
            "/streams",
            "/api/nodes",
            "/api/figures",
            "/metrics",
            "/health",
            "/openapi.json",
            "/api/looks",
            "/api/streams",
        ] {
            let text = mirror.get(name, path, "").text();
            assert!(!text.contains(root) && !text.contains("/home/"), "{name} {path}");
        }
        let text = mirror.send(name, "PUT", "/api/settings", "{").text();
        assert!(!text.contains(root), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_gives_its_stream_back() {
    let mirror = Mirror::start(&[("WEB_STREAMS_MAX", "1")]);
    let mut first = mirror.socket("Live Diffusion", "/ws").await;
    first.json().await;
    first.binary(&jpeg([1, 2, 3])).await;
    let mut second = mirror.socket("Live Diffusion", "/ws").await;
    assert_eq!(second.json().await["data"]["error"], "Server is full");
    assert!(matches!(second.next().await, Said::Closed(Some(1013))));
    drop(first);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut third = mirror.socket("Live Diffusion", "/ws").await;
    assert_eq!(third.json().await["type"], "status");
}
