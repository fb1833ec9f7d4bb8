//! Live Diffusion: every conversation of its protocol.

use crate::mirror::{Mirror, Said, Socket, colour, is_near, jpeg, until};
use serde_json::{Value, json};

const HERE: &str = "Live Diffusion";

async fn enter(mirror: &Mirror) -> Socket {
    let mut socket = mirror.socket(HERE, "/ws").await;
    let expected = json!({"type": "status", "data": {"connected": true, "processing": false, "model_loaded": true,
        "model_name": "turbo", "message": "Connected to server"}});
    assert_eq!(socket.json().await, expected);
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_back_as_its_data_and_then_itself() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror).await;
    for sent in [[200, 30, 30], [30, 200, 30]] {
        socket.binary(&jpeg(sent)).await;
        let data = socket.json().await;
        assert_eq!(data["type"], "processed_frame");
        assert_eq!((&data["data"]["width"], &data["data"]["height"]), (&json!(64), &json!(64)));
        let (now, took) = (data["data"]["timestamp"].as_f64(), data["data"]["processing_time"].as_f64());
        assert!(now.expect("seconds") > 1.7e9 && (0.0..10.0).contains(&took.expect("seconds")), "{data}");
        match socket.next().await {
            Said::Binary(file) => assert!(is_near(colour(&file), sent)),
            said => panic!("{said:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_confirmed_in_both_spellings_and_paint() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror).await;
    for data in [
        json!({"prompt": "neon", "negative_prompt": "mud", "denoising_strength": 0.4, "guidance": 2.5, "steps": 3, "seed": 7}),
        json!({"prompt": "neon", "negativePrompt": "mud", "denoisingStrength": 0.4, "guidance": 2.5, "steps": 3, "seed": 7, "useRandomSeed": false}),
    ] {
        socket.say(json!({"type": "settings", "data": data})).await;
        let answer = socket.json().await;
        assert_eq!(answer["type"], "settings");
        let settings = &answer["data"]["settings"];
        let expected = json!({"prompt": "neon", "negative_prompt": "mud", "negativePrompt": "mud", "denoising_strength": 0.4,
            "denoisingStrength": 0.4, "guidance": 2.5, "steps": 3, "seed": 7, "use_random_seed": false, "useRandomSeed": false});
        assert_eq!(*settings, expected);
    }
    let stream = || mirror.streams.list().into_iter().find(|entry| entry.origin == "live").expect("the stream");
    until("the settings are in force", || stream().settings.prompt == "neon").await;
    assert_eq!((stream().settings.strength, stream().settings.fixed_seed), (0.4, true));
    socket.say(json!({"type": "settings", "data": {"seed": -1}})).await;
    assert_eq!(socket.json().await["data"]["settings"]["seed"], -1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_with_the_time() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror).await;
    socket.say(json!({"type": "ping"})).await;
    let pong = socket.json().await;
    assert_eq!(pong["type"], "pong");
    assert!(pong["data"]["timestamp"].as_f64().expect("seconds") > 1.7e9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_answered_in_an_envelope_and_the_socket_goes_on() {
    let mirror = Mirror::start(&[]);
    let mut socket = enter(&mirror).await;
    for (text, error) in [
        (r#"{"type": "settings"}"#, "Missing settings data"),
        (r#"{"type": "dance"}"#, "Unknown message type: dance"),
        ("not JSON", "Invalid JSON"),
        ("[]", "Invalid message format"),
        (r#"{"type": "settings", "data": {"steps": "many"}}"#, "Invalid settings"),
    ] {
        socket.text(text).await;
        let answer = socket.json().await;
        assert_eq!((&answer["type"], &answer["data"]["error"]), (&json!("error"), &json!(error)), "{text}");
        assert!(answer["data"]["details"].is_string());
    }
    socket.binary(b"no picture").await;
    assert_eq!(socket.json().await["data"]["error"], "Error processing frame");
    let mut half = jpeg([9, 9, 9]);
    half.truncate(half.len() / 2);
    half.extend([0xff; 64]);
    socket.binary(&half).await;
    socket.binary(&jpeg([200, 30, 30])).await;
    loop {
        match socket.next().await {
            Said::Text(_) => {}
            Said::Binary(file) if is_near(colour(&file), [200, 30, 30]) => break,
            Said::Binary(_) => {}
            said @ Said::Closed(_) => panic!("{said:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_put_count_for_all_that_are_there_and_will_be() {
    let mirror = Mirror::start(&[]);
    let _early = enter(&mirror).await;
    let before = mirror.get(HERE, "/api/settings", "").json();
    assert!(before["settings"]["prompt"].is_string() && before["settings"]["denoising_strength"].is_number());
    let answer =
        mirror.send(HERE, "PUT", "/api/settings", r#"{"settings": {"prompt": "mosaic", "denoisingStrength": 0.3}}"#);
    assert_eq!((answer.status, &answer.json()["settings"]["prompt"]), (200, &json!("mosaic")));
    assert_eq!(mirror.get(HERE, "/api/settings", "").json(), answer.json());
    // Its own page sends them bare.
    let bare = r#"{"prompt": "mosaic", "negativePrompt": "mud", "steps": 20, "guidance": 7.5, "seed": -1, "useRandomSeed": true}"#;
    let answer = mirror.send(HERE, "PUT", "/api/settings", bare);
    let settings = &answer.json()["settings"];
    assert_eq!((answer.status, &settings["negativePrompt"], &settings["seed"]), (200, &json!("mud"), &json!(-1)));
    assert_eq!((&settings["prompt"], &settings["denoisingStrength"]), (&json!("mosaic"), &json!(0.3)));
    for body in ["7", r#"{"steps": "many"}"#, r#"{"settings": 7}"#] {
        let answer = mirror.send(HERE, "PUT", "/api/settings", body);
        assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["body"])), "{body}");
    }
    let _late = enter(&mirror).await;
    let prompts = || {
        let streams = mirror.streams.list().into_iter().filter(|entry| entry.origin == "live");
        streams.map(|entry| (entry.settings.prompt.clone(), entry.settings.strength)).collect::<Vec<_>>()
    };
    until("both have them", || prompts() == vec![("mosaic".to_owned(), 0.3); 2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_the_processors_that_are_installed() {
    let mirror = Mirror::start(&[]);
    let models = mirror.get(HERE, "/api/models", "").json();
    assert_eq!(models["current_model"], "turbo");
    let first = &models["models"][0];
    assert!(first["id"].is_string() && first["name"].is_string() && first["description"].is_string());
    let loaded: Vec<&Value> =
        models["models"].as_array().expect("a list").iter().filter(|model| model["is_loaded"] == true).collect();
    assert_eq!((loaded.len(), &loaded[0]["id"]), (1, &json!("turbo")));
    let answer = mirror.send(HERE, "POST", "/api/models/load", r#"{"model_id": "turbo"}"#);
    assert_eq!((answer.status, &answer.json()), (200, first));
    let answer = mirror.send(HERE, "POST", "/api/models/load", r#"{"model_id": "nothing"}"#);
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (404, true));
    let answer = mirror.send(HERE, "POST", "/api/models/load", "{}");
    assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["body"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_has_every_field() {
    let mirror = Mirror::start(&[]);
    let _client = enter(&mirror).await;
    let status = mirror.get(HERE, "/api/status", "").json();
    assert_eq!(
        (&status["active_connections"], &status["model_loaded"], &status["current_model"]),
        (&json!(1), &json!(true), &json!("turbo"))
    );
    assert_eq!((&status["cuda_available"], &status["gpu_info"]), (&json!(false), &json!([])));
    assert!(status["status"] == "ok" && status["version"].is_string() && status["uptime_seconds"].is_number());
    for key in ["cpu_percent", "memory_percent", "memory_mb", "threads"] {
        assert!(status["system_info"][key].is_number(), "{key}");
    }
    assert!(status["system_info"]["python_version"].is_string());
    let health = mirror.get(HERE, "/health", "").json();
    assert!(health["status"] == "ok" && health["api_version"].is_string());
    assert_eq!(mirror.get(HERE, "/", "").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_page_may_ask_from_where_it_is_developed() {
    let mirror = Mirror::start(&[]);
    for origin in ["http://localhost:5173", "http://localhost:4173", "http://127.0.0.1:5173"] {
        let answer = mirror.get(HERE, "/api/status", &format!("Origin: {origin}\r\n"));
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        let asks = format!(
            "OPTIONS /api/settings HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\nConnection: close\r\n\r\n"
        );
        let answer = mirror.ask(HERE, &asks);
        assert!(
            answer.status < 300
                && answer.header("access-control-allow-methods").is_some_and(|methods| methods.contains("PUT")),
            "{}",
            answer.head
        );
    }
    let answer = mirror.get(HERE, "/api/status", "Origin: https://evil.example\r\n");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
