//! DreamStream: every conversation of its protocol.

use crate::mirror::{Mirror, Said, Socket, colour, is_near, jpeg, noise, until};
use mirror_protocols::picture;
use serde_json::{Value, json};

const HERE: &str = "DreamStream";

async fn broadcast(mirror: &Mirror, stream: &str) -> Socket {
    let mut socket = mirror.socket(HERE, &format!("/ws/broadcaster/{stream}?processor_type=lightning")).await;
    let info = socket.json().await;
    assert_eq!((&info["type"], &info["processor_type"]), (&json!("processor_info"), &json!("lightning")));
    assert!(info["message"].is_string());
    socket
}

/// A viewer that has been told what it is told at first: whether the stream is live.
async fn view(mirror: &Mirror, stream: &str, active: bool) -> Socket {
    let mut socket = mirror.socket(HERE, &format!("/ws/viewer/{stream}")).await;
    assert_eq!(socket.json().await["type"], "processor_info");
    let status = socket.json().await;
    assert_eq!((&status["type"], &status["streamId"]), (&json!("stream_status"), &json!(stream)));
    assert_eq!((&status["active"], &status["ended"]), (&json!(active), &json!(false)));
    assert!(status["message"].is_string());
    if active {
        assert_eq!(socket.json().await["type"], "style_updated");
    }
    socket
}

fn frame(colour: [u8; 3]) -> Value {
    json!({"type": "frame", "frame": picture::encode(&jpeg(colour))})
}

/// Whether it is an answer of that type that says something to people, of that stream if it names one, and nothing else.
fn confirms(answer: &Value, kind: &str, stream: Option<&str>) -> bool {
    let mut expected = json!({"type": kind, "message": answer["message"]});
    if let Some(stream) = stream {
        expected["streamId"] = stream.into();
    }
    *answer == expected && answer["message"].as_str().is_some_and(|text| !text.is_empty())
}

fn file(frame: &Value) -> Vec<u8> {
    picture::decode(frame.as_str().expect("a data URL")).expect("a file")
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_what_is_broadcast_painted() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "stream123").await;
    let mut viewers = [view(&mirror, "stream123", true).await, view(&mirror, "stream123", true).await];
    until("its settings are in force", || mirror.streams.settings("ds:stream123").strength == 0.9).await;
    for sent in [[200, 30, 30], [30, 200, 30]] {
        broadcaster.say(frame(sent)).await;
        for viewer in &mut viewers {
            let frame = viewer.of_type("frame").await;
            assert!(frame["frame"].as_str().expect("a text").starts_with("data:image/jpeg;base64,"));
            assert!(is_near(colour(&file(&frame["frame"])), sent));
            assert_eq!(
                (&frame["streamId"], &frame["is_original"], &frame["processed"]),
                (&json!("stream123"), &json!(false), &json!(true))
            );
            assert_eq!((&frame["processor_type"], &frame["strength"]), (&json!("lightning"), &json!(0.9)));
            assert!(frame["style_prompt"].as_str().expect("a text").contains("Starry Night"));
            assert!(frame["timestamp"].as_i64().expect("milliseconds") > 1_700_000_000_000);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_with_its_own_defaults() {
    let mirror = Mirror::start(&[]);
    let _broadcaster = broadcast(&mirror, "a").await;
    let settings = || mirror.streams.settings("ds:a");
    until("they are in force", || settings().strength == 0.9).await;
    assert_eq!(settings().prompt, "A painting in the style of van Gogh's 'Starry Night'");
    assert_eq!(settings().negative_prompt, "ugly, deformed, disfigured, poor details, bad anatomy");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_update_is_confirmed_and_viewers_hear_of_the_style() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    let mut viewer = view(&mirror, "a", true).await;
    broadcaster.say(json!({"type": "update_prompt", "prompt": "neon"})).await;
    assert_eq!(broadcaster.json().await, json!({"type": "prompt_updated", "prompt": "neon"}));
    let style = viewer.json().await;
    assert_eq!(
        (&style["type"], &style["prompt"], &style["processor_type"]),
        (&json!("style_updated"), &json!("neon"), &json!("lightning"))
    );
    broadcaster.say(json!({"type": "update_negative_prompt", "negative_prompt": "mud"})).await;
    assert_eq!(broadcaster.json().await, json!({"type": "negative_prompt_updated", "negative_prompt": "mud"}));
    broadcaster.say(json!({"type": "update_strength", "strength": 0.4})).await;
    assert_eq!(broadcaster.json().await, json!({"type": "strength_updated", "strength": 0.4}));
    broadcaster.say(json!({"type": "update_processor", "processor_type": "standard"})).await;
    assert_eq!(broadcaster.json().await, json!({"type": "processor_updated", "processor_type": "standard"}));
    assert_eq!(viewer.json().await["processor_type"], "standard");
    let settings = || mirror.streams.settings("ds:a");
    until("all is in force", || settings().prompt == "neon" && settings().strength == 0.4).await;
    assert_eq!(settings().negative_prompt, "mud");
    viewer.say(json!({"type": "get_style_prompt"})).await;
    assert_eq!(viewer.json().await["prompt"], "neon");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_to_both() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    let mut viewer = view(&mirror, "a", true).await;
    for socket in [&mut broadcaster, &mut viewer] {
        socket.say(json!({"type": "ping"})).await;
        assert_eq!(socket.json().await, json!({"type": "pong"}));
        socket.say(json!({"type": "get_processor_info"})).await;
        assert_eq!(socket.json().await["processor_type"], "lightning");
        socket.say(json!({"type": "check_stream_status"})).await;
        let status = socket.json().await;
        assert_eq!(
            (&status["type"], &status["streamId"], &status["active"]),
            (&json!("stream_status"), &json!("a"), &json!(true))
        );
        socket.say(json!({"type": "check_stream_status", "streamId": "other"})).await;
        let status = socket.json().await;
        assert_eq!(
            (&status["streamId"], &status["active"], &status["ended"]),
            (&json!("other"), &json!(false), &json!(false))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcaster_sees_its_pictures_when_it_asks() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    broadcaster.say(json!({"type": "get_latest_frame"})).await;
    let none = broadcaster.json().await;
    assert_eq!((&none["type"], &none["frame"]), (&json!("latest_frame"), &Value::Null));
    assert!(none["message"].is_string());
    broadcaster.say(json!({"type": "subscribe_to_processed_frames"})).await;
    assert!(confirms(&broadcaster.json().await, "subscription_confirmed", None));
    broadcaster.say(frame([200, 30, 30])).await;
    let seen = broadcaster.of_type("frame").await;
    assert!(is_near(colour(&file(&seen["frame"])), [200, 30, 30]));
    broadcaster.say(json!({"type": "unsubscribe_from_processed_frames"})).await;
    assert!(confirms(&broadcaster.json().await, "unsubscription_confirmed", None));
    broadcaster.say(frame([30, 200, 30])).await;
    assert!(broadcaster.is_silent().await);
    broadcaster.say(json!({"type": "get_latest_frame"})).await;
    assert!(is_near(colour(&file(&broadcaster.json().await["frame"])), [30, 200, 30]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_stream_is_told_to_all() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    let mut viewer = view(&mirror, "a", true).await;
    broadcaster.say(json!({"type": "end_stream"})).await;
    let end = broadcaster.json().await;
    assert!(confirms(&end, "stream_ended_confirmation", Some("a")), "{end}");
    let ended = viewer.json().await;
    assert_eq!((&ended["type"], &ended["streamId"]), (&json!("stream_ended"), &json!("a")));
    assert!(ended["message"].is_string());
    viewer.say(json!({"type": "check_stream_status"})).await;
    assert_eq!(viewer.json().await["ended"], true);
    // The next one of the same name begins anew, for the viewer that has stayed too.
    let mut again = broadcast(&mirror, "a").await;
    let status = viewer.json().await;
    assert_eq!((&status["type"], &status["active"]), (&json!("stream_status"), &json!(true)));
    again.say(frame([30, 30, 200])).await;
    assert!(is_near(colour(&file(&viewer.of_type("frame").await["frame"])), [30, 30, 200]));
    drop(again);
    assert_eq!(viewer.of_type("stream_ended").await["streamId"], "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_waits_for_a_stream_that_has_not_begun() {
    let mirror = Mirror::start(&[]);
    let mut viewer = view(&mirror, "later", false).await;
    let mut broadcaster = broadcast(&mirror, "later").await;
    assert_eq!(viewer.json().await["active"], true);
    assert_eq!(viewer.json().await["type"], "style_updated");
    broadcaster.say(frame([200, 30, 30])).await;
    assert_eq!(viewer.of_type("frame").await["streamId"], "later");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_answered_in_its_form_and_the_socket_goes_on() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    for text in ["{}", "[]", r#"{"frame": "x"}"#] {
        broadcaster.text(text).await;
        assert_eq!(broadcaster.json().await, json!({"error": "Invalid message format"}));
    }
    for text in [
        "not JSON",
        r#"{"type": "frame", "frame": "§"}"#,
        r#"{"type": "update_strength", "strength": 7}"#,
        r#"{"type": "update_processor", "processor_type": "sdxl"}"#,
        r#"{"type": "frame", "frame": "AAAA"}"#,
    ] {
        broadcaster.text(text).await;
        let answer = broadcaster.json().await;
        assert_eq!(answer["type"], "error", "{text}");
        assert!(answer["message"].is_string());
    }
    broadcaster.binary(b"bytes").await;
    assert_eq!(broadcaster.json().await["type"], "error");
    let long = json!({"type": "frame", "frame": "A".repeat(1_900_001)});
    broadcaster.say(long).await;
    assert_eq!(broadcaster.json().await["message"], "Frame too large");
    let mut viewer = view(&mirror, "a", true).await;
    viewer.say(frame([1, 2, 3])).await;
    assert_eq!(viewer.json().await["type"], "error");
    viewer.say(json!({"type": "ping"})).await;
    assert_eq!(viewer.json().await["type"], "pong");
}

/// Its broadcasting page asks for `get_server_info` as soon as it is connected, its front page for `list_streams`; its server
/// knows neither and says nothing, and the pages show every error in red.
#[tokio::test(flavor = "multi_thread")]
async fn what_its_own_pages_ask_for_in_vain_is_no_error() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = mirror.socket(HERE, "/ws/broadcaster/a").await;
    let info = broadcaster.json().await;
    assert_eq!((&info["type"], &info["processor_type"]), (&json!("processor_info"), &json!("lightning")));
    let mut viewer = view(&mirror, "a", true).await;
    for (socket, kind) in [(&mut broadcaster, "get_server_info"), (&mut viewer, "list_streams")] {
        socket.say(json!({"type": kind})).await;
        socket.say(json!({"type": "ping"})).await;
        assert_eq!(socket.json().await, json!({"type": "pong"}), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_type_is_closed_with_1008() {
    let mirror = Mirror::start(&[]);
    let mut socket = mirror.socket(HERE, "/ws/spectator/a").await;
    let mut said = socket.next().await;
    if let Said::Text(error) = &said {
        assert_eq!(error["type"], "error");
        said = socket.next().await;
    }
    assert_eq!(said, Said::Closed(Some(1008)));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_processors_are_listed() {
    let mirror = Mirror::start(&[]);
    assert_eq!(mirror.get(HERE, "/streams", "").json(), json!({"active_streams": []}));
    let broadcaster = broadcast(&mirror, "a").await;
    let viewer = view(&mirror, "a", true).await;
    let expected = json!({"id": "a", "broadcasters": 1, "viewers": 1, "processor_type": "lightning", "strength": 0.9});
    assert_eq!(mirror.get(HERE, "/streams", "").json(), json!({"active_streams": [expected]}));
    drop((broadcaster, viewer));
    until("nobody is there", || mirror.get(HERE, "/streams", "").json()["active_streams"] == json!([])).await;
    let processors = mirror.get(HERE, "/processors", "").json();
    let available = processors["available_processors"].as_array().expect("a list");
    assert!(
        available.contains(&json!("standard"))
            && available.contains(&json!("lightning"))
            && available.contains(&json!("turbo"))
    );
    assert_eq!(processors["default_processor"], "lightning");
    let health = mirror.get(HERE, "/health", "").json();
    assert!(health["status"] == "ok" && health["service"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcaster_is_told_of_pictures_that_make_way_for_newer_ones() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    let mut viewer = view(&mirror, "a", true).await;
    mirror.hold(true);
    // One stands at the graph's door, or two while it ceases to take them; of the others the newest waits.
    let shades = [0, 40, 80, 120, 160, 200];
    for shade in shades {
        broadcaster.say(frame([shade, 100, 100])).await;
    }
    let skipped = broadcaster.json().await;
    assert_eq!(skipped["type"], "frame_skipped");
    assert!(skipped["message"].as_str().is_some_and(|text| !text.is_empty()), "{skipped}");
    mirror.hold(false);
    while !is_near(colour(&file(&viewer.of_type("frame").await["frame"])), [200, 100, 100]) {}
    // One that is painted at once is none of them.
    broadcaster.say(json!({"type": "ping"})).await;
    while broadcaster.json().await["type"] == "frame_skipped" {}
    broadcaster.say(frame([9, 100, 100])).await;
    viewer.of_type("frame").await;
    assert!(broadcaster.is_silent().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_reads_nothing_costs_others_nothing_and_sees_the_newest_then() {
    let mirror = Mirror::start(&[]);
    let mut broadcaster = broadcast(&mirror, "a").await;
    let mut slow = view(&mirror, "a", true).await;
    let mut fast = view(&mirror, "a", true).await;
    const PICTURES: u8 = 60;
    const STEP: u8 = 4;
    let number = |frame: &Value| (colour(&file(&frame["frame"]))[0] + STEP / 2) / STEP;
    for index in 0..PICTURES {
        // More than the kernel keeps for one who reads nothing.
        let file = picture::encode(&noise(index * STEP));
        broadcaster.say(json!({"type": "frame", "frame": file})).await;
        assert_eq!(number(&fast.of_type("frame").await), index);
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&(PICTURES - 1)) {
        seen.push(number(&slow.of_type("frame").await));
    }
    assert!(seen.len() < usize::from(PICTURES) && seen.is_sorted_by(|one, other| one < other), "{seen:?}");
}
