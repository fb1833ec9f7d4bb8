//! What a visitor says: over a real socket, or from the microphone of a real browser, to `vad`, to whisper.cpp, to `control`, and
//! back to that visitor's page alone. Whisper's weights are random: it writes down something whatever it hears, so that what
//! happens to the words is seen, not what they are.

#[path = "../nodes/stt/tests/support/mod.rs"]
mod support;

use eyre::{Result, ensure, eyre};
use futures::{SinkExt, StreamExt};
use mirror_benches::flow::{Flow, Running};
use mirror_tests::browser::Browser;
use mirror_tests::running::{PATIENCE, free_port, wait_for};
use mirror_tests::{alone, root};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tokio::time::{interval, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// Samples a second.
const RATE_HZ: usize = 16_000;
/// A message of sound, in samples: a tenth of a second.
const CHUNK: usize = RATE_HZ / 10;
/// How long a socket listens after the last word.
const AFTER: Duration = Duration::from_secs(20);

/// The samples of a recorded sentence (nodes/vad/tests/speech/README.md), and two seconds of silence: 16-bit little-endian.
fn sentence() -> Result<Vec<u8>> {
    let file = fs::read(root().join("nodes/vad/tests/speech/comic.wav"))?;
    let at = file.windows(4).position(|four| four == b"data").ok_or_else(|| eyre!("no samples"))?;
    Ok([&file[at + 8..], &[0; 4 * RATE_HZ]].concat())
}

/// Those samples as a WAV file.
fn wav(samples: &[u8]) -> Vec<u8> {
    let (rate, length) = (RATE_HZ as u32, samples.len() as u32);
    let words = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    // The chunk of the format is 16 bytes long: PCM and one channel, samples and bytes a second, 2 bytes and 16 bits each.
    let kind = words(&[16, 0x0001_0001, rate, 2 * rate, 0x0010_0002]);
    [&b"RIFF"[..], &words(&[36 + length]), b"WAVEfmt ", &kind, b"data", &words(&[length]), samples].concat()
}

/// From a voice to settings; pictures come back as they are.
fn flow(port: u16) -> Result<Flow> {
    let flow = Flow::new(
        &root(),
        &format!(
            "nodes:
  - id: web
    path: target/release/web
    env: {{ WEB_ADDRESS: \"127.0.0.1:{port}\", WEB_REALTIME: \"off\", WEB_LIVE: \"off\", WEB_DREAM: \"off\" }}
    inputs:
      picture: {{ source: operator/picture, queue_size: 4 }}
      prompt: {{ source: stt/prompt, queue_size: 16, queue_policy: backpressure }}
      settings: {{ source: control/settings, queue_size: 64, queue_policy: backpressure }}
      notice: {{ source: control/notice, queue_size: 64, queue_policy: backpressure }}
      tick: {{ source: dora/timer/millis/500, queue_size: 1 }}
    outputs: [frame, sound, update, notice]
  - id: operator
    path: target/release/operator
    env: {{ OPERATOR_LIBRARY: .mirror/tests/operator.so }}
    inputs:
      picture: {{ source: web/frame, queue_size: 1 }}
    outputs: [picture, notice]
  - id: vad
    path: target/release/vad
    inputs:
      sound_web: {{ source: web/sound, queue_size: 25, queue_policy: backpressure }}
    outputs: [utterance, notice]
  - id: stt
    path: target/release/stt
    env: {{ STT_MODEL: tiny.bin, STT_NO_SPEECH: \"1.0\", STT_LOG_PROBABILITY: \"-100.0\" }}
    inputs:
      utterance: {{ source: vad/utterance, queue_size: 16, queue_policy: backpressure }}
    outputs: [prompt, notice]
  - id: control
    path: target/release/control
    env: {{ CONTROL_STATE: \"\" }}
    inputs:
      update_web: {{ source: web/update, queue_size: 64, queue_policy: backpressure }}
      prompt_voice: {{ source: stt/prompt, queue_size: 64, queue_policy: backpressure }}
      notice_stt: {{ source: stt/notice, queue_size: 64, queue_policy: backpressure }}
      tick: {{ source: dora/timer/millis/1000, queue_size: 1 }}
    outputs: [settings, notice]
"
        ),
    )?;
    fs::write(flow.path("tiny.bin"), model()?)?;
    Ok(flow)
}

/// That graph, once its page answers and its model is there.
fn start(port: u16) -> Result<(Flow, Running)> {
    let flow = flow(port)?;
    let running = flow.start()?;
    wait_for("the page", || TcpStream::connect(("127.0.0.1", port)).is_ok())
        .map_err(|error| eyre!("{error}\n{}", running.log()))?;
    wait_for("the model", || running.log().contains("tiny.bin"))
        .map_err(|error| eyre!("{error}\n{}", running.log()))?;
    Ok((flow, running))
}

/// A model of random weights says one word again and again, which is refused as a loop. The words of this one have an `x` where
/// others have a space: what it says is one long word.
fn model() -> Result<Vec<u8>> {
    let mut model = support::model(support::TINY);
    // Before the words: the magic number, eleven sizes, the filters with two of their own, the number of words.
    let mut at = 4 * (1 + 11 + 2 + 80 * 201 + 1);
    for _ in 0..50_257 {
        let (length, word) = model[at..].split_first_chunk_mut::<4>().ok_or_else(|| eyre!("the words end early"))?;
        let length = u32::from_le_bytes(*length) as usize;
        // The first one is the space itself.
        if length > 1 {
            word[0] = b'x';
        }
        at += 4 + length;
    }
    Ok(model)
}

/// A visitor who says a sentence, or nothing: what the page has said of its stream last.
async fn visit(port: u16, name: &str, sentence: &[u8]) -> Result<Value> {
    let socket = timeout(PATIENCE, connect_async(format!("ws://127.0.0.1:{port}/visit"))).await;
    let (mut socket, _) = socket.map_err(|_| eyre!("{name}: the page does not answer"))??;
    let open = json!({"type": "open", "stream": name, "key": name});
    socket.send(Message::Text(open.to_string().into())).await?;
    // As fast as it is spoken: more is refused.
    let (mut chunks, mut clock) = (sentence.chunks(2 * CHUNK), interval(Duration::from_millis(100)));
    let (mut last, mut until) = (Value::Null, Instant::now() + AFTER);
    while Instant::now() < until {
        tokio::select! {
            _ = clock.tick() => if let Some(chunk) = chunks.next() {
                until = Instant::now() + AFTER;
                let head = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                socket.send(Message::Binary([&head, chunk].concat().into())).await?;
            },
            message = socket.next() => if let Message::Text(text) = message.ok_or_else(|| eyre!("{name}: closed"))?? {
                let said: Value = serde_json::from_str(&text)?;
                ensure!(said["type"] != "trouble" && said["type"] != "ended", "{name}: {said}");
                if said["type"] == "status" {
                    last = said;
                }
            },
        }
        // What was heard is painted, as far as this graph goes, and has been said.
        if last["heard"]["text"].is_string() && last["settings"]["prompt"] == last["heard"]["text"] && says_heard(&last)
        {
            break;
        }
    }
    Ok(last)
}

#[test]
fn what_a_visitor_says_is_the_wish_of_that_visitor_and_nobody_elses() -> Result<()> {
    let _alone = alone();
    let port = free_port()?;
    let (_flow, mut running) = start(port)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let sentence = sentence()?;
    let (anna, bert) =
        runtime.block_on(async { tokio::join!(visit(port, "anna", &sentence), visit(port, "bert", &[])) });
    let (anna, bert, log) = (anna?, bert?, running.log());
    running.stop();
    let heard = anna["heard"]["text"].as_str().unwrap_or_default();
    ensure!(!heard.is_empty() && anna["settings"]["prompt"] == heard, "{anna}\n{log}");
    // Bert was there the whole time.
    ensure!(bert["heard"].is_null() && bert["settings"]["prompt"] == "", "{bert}");
    ensure!(says_heard(&anna) && !says_heard(&bert), "{anna}\n{bert}");
    Ok(())
}

/// Whether it is among the notices of a stream that something was heard.
fn says_heard(status: &Value) -> bool {
    status["notices"].to_string().contains("heard \\\"")
}

fn a_click_on_the_microphone_shows_what_was_heard(browser: &Browser) -> Result<()> {
    browser.click("tab-own")?;
    browser.wait_until(
        "one's own picture",
        "document.body.dataset.mode === 'own' && document.body.dataset.state === 'live'",
    )?;
    browser.click("microphone")?;
    browser.wait_until(
        "the microphone",
        "document.getElementById('microphone').getAttribute('aria-pressed') === 'true'",
    )?;
    browser.wait_until("words", "document.getElementById('heard').checkVisibility()")?;
    // What was heard is the wish.
    browser.wait_until(
        "the words as the prompt",
        "document.getElementById('prompt').value !== ''
        && document.getElementById('heard-words').textContent === '“' + document.getElementById('prompt').value + '”'",
    )?;
    browser.screenshot("heard")
}

#[test]
fn what_is_said_into_a_browsers_microphone_is_shown_on_its_page() -> Result<()> {
    let _alone = alone();
    let port = free_port()?;
    let (flow, running) = start(port)?;
    // The browser plays it again and again.
    let path = flow.path("sentence.wav");
    fs::write(&path, wav(&sentence()?))?;
    let sound = format!("--use-file-for-fake-audio-capture={}", path.display());
    // Machines without a screen have no loudspeaker either: the page's sound then runs on a clock of the browser's own.
    let camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-audio-output"];
    let browser = Browser::open_with(&format!("http://127.0.0.1:{port}"), &[&camera[..], &[sound.as_str()]].concat())?;
    a_click_on_the_microphone_shows_what_was_heard(&browser).map_err(|error| eyre!("{error:?}\n{}", running.log()))
}
