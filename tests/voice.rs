//! From sound to words, in real graphs: a file, a microphone that PulseAudio makes up, and no microphone at all.

use eyre::{Result, WrapErr, bail};
use mirror_benches::flow::{Flow, Running};
use mirror_tests::root;
use mirror_tests::running::wait_for;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Recorded sentences: nodes/vad/tests/speech/README.md.
fn speech(name: &str) -> PathBuf {
    root().join("nodes/vad/tests/speech").join(name)
}

/// `microphone` and `vad`, and a scribe that writes down what they say.
fn flow(source: &str, alsa: Option<&Path>) -> Result<Flow> {
    let alsa = alsa.map(|path| format!(", ALSA_CONFIG_PATH: \"{}\"", path.display())).unwrap_or_default();
    Flow::new(
        &root(),
        &format!(
            "nodes:
  - id: microphone
    path: target/release/microphone
    env: {{ MICROPHONE_SOURCE: \"{source}\"{alsa} }}
    outputs: [sound, notice]
  - id: vad
    path: target/release/vad
    inputs:
      sound: {{ source: microphone/sound, queue_size: 25, queue_policy: backpressure }}
    outputs: [utterance, notice]
  - id: scribe
    path: target/release/scribe
    env: {{ SCRIBE_OUT: said.jsonl }}
    inputs:
      sound: {{ source: microphone/sound, queue_size: 25, queue_policy: backpressure }}
      utterance: {{ source: vad/utterance, queue_size: 64, queue_policy: backpressure }}
      notice: {{ source: microphone/notice, queue_size: 64, queue_policy: backpressure }}
"
        ),
    )
}

/// What the scribe has written so far that came to that port.
fn said(flow: &Flow, port: &str) -> Vec<Value> {
    let text = fs::read_to_string(flow.path("said.jsonl")).unwrap_or_default();
    // The last line may not be whole yet.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["port"] == port).collect()
}

fn notice(flow: &Flow, part: &str) -> bool {
    said(flow, "notice").iter().any(|notice| notice["text"].as_str().is_some_and(|text| text.contains(part)))
}

fn wait(flow: &Flow, running: &Running, what: &str, is_so: impl FnMut() -> bool) -> Result<()> {
    wait_for(what, is_so).wrap_err_with(|| format!("{}\n{:?}", running.log(), said(flow, "notice")))
}

#[test]
fn sentences_of_files_become_utterances_in_their_order_and_silence_follows() -> Result<()> {
    let folder = speech("").to_string_lossy().into_owned();
    let flow = flow(&folder, None)?;
    let mut running = flow.start()?;
    wait(&flow, &running, "the end of the files", || notice(&flow, "the sound has ended"))?;
    let chunks = || said(&flow, "sound");
    let so_far = chunks().len();
    wait(&flow, &running, "a second of silence", || chunks().len() > so_far + 33)?;
    running.stop();
    let utterances = said(&flow, "utterance");
    let seconds: Vec<f64> = utterances.iter().map(|one| one["samples"].as_f64().unwrap_or(0.0) / 16_000.0).collect();
    assert_eq!(seconds.len(), 2, "{utterances:?}");
    // "Make me look like a comic book." and "Paint me as a watercolour", with 0.4 s around them.
    assert!((seconds[0] - 2.4).abs() < 0.25 && (seconds[1] - 2.0).abs() < 0.25, "{seconds:?}");
    for utterance in &utterances {
        assert_eq!((utterance["rate"].as_i64(), utterance["stream"].as_str()), (Some(16_000), Some("house")));
        // The stage's time is the silence that it waits for: VAD_SILENCE_MS, 350.
        assert_eq!(utterance["stages"][0][0], "vad", "{utterance}");
        assert!(utterance["stages"][0][1].as_f64() >= Some(330.0), "{utterance}");
    }
    let chunks = chunks();
    for (index, pair) in chunks.windows(2).enumerate() {
        let step = |key: &str| pair[1][key].as_i64().unwrap_or(0) - pair[0][key].as_i64().unwrap_or(0);
        assert_eq!((step("number"), pair[1]["samples"].as_i64()), (1, Some(480)), "chunk {index}");
        assert!(step("captured_ns") > 0, "chunk {index}");
    }
    let last = chunks.last().expect("chunks");
    assert_eq!(last["loudness"].as_f64(), Some(0.0));
    Ok(())
}

#[test]
fn without_a_microphone_the_mirror_says_so_and_alsa_says_nothing() -> Result<()> {
    let folder = TempDir::new()?;
    // A machine on which ALSA knows no device at all.
    let alsa = folder.path().join("asound.conf");
    fs::write(&alsa, "# nothing\n")?;
    let flow = flow("auto", Some(&alsa))?;
    let mut running = flow.start()?;
    wait(&flow, &running, "the notice", || notice(&flow, "there is no microphone: prompts can be typed"))?;
    assert!(!running.has_ended()?, "{}", running.log());
    running.stop();
    assert_eq!(said(&flow, "sound"), [] as [Value; 0]);
    assert!(!running.log().contains("ALSA lib"), "{}", running.log());
    Ok(())
}

#[test]
fn a_microphone_that_is_not_there_ends_the_node_with_those_that_are() -> Result<()> {
    let flow = flow("no such microphone", None)?;
    let mut running = flow.start()?;
    wait_for("the node's end", || {
        running.log().contains(
            "microphone: MICROPHONE_SOURCE=no such microphone: there is no such microphone; microphones here: ",
        )
    })
    .wrap_err_with(|| running.log())?;
    running.stop();
    Ok(())
}

#[test]
fn a_model_that_is_missing_ends_its_node_with_its_name_and_what_to_bring() -> Result<()> {
    for (node, key, bring) in
        [("stt", "STT_MODEL", "ggml-base.en-q5_1.bin"), ("rephrase", "REPHRASE_MODEL", "qwen2.5-0.5b-instruct")]
    {
        let yaml = format!(
            "nodes:
  - id: {node}
    path: target/release/{node}
    env: {{ {key}: models/nowhere/model.file }}
    inputs: {{ {}: {{ source: microphone/notice, queue_size: 1 }} }}
    outputs: [notice]
  - id: microphone
    path: target/release/microphone
    env: {{ MICROPHONE_SOURCE: none }}
    outputs: [notice]
",
            if node == "stt" { "utterance" } else { "prompt" }
        );
        // The list and the instructions of `rephrase` are seen from the project's root.
        let flow = Flow::new(&root(), &yaml)?;
        std::os::unix::fs::symlink(root().join("nodes"), flow.path("nodes"))?;
        let mut running = flow.start()?;
        let line = format!("{node}: {key}: models/nowhere/model.file: there is no such file; bring");
        wait_for("the node's end", || running.log().contains(&line) && running.log().contains(bring))
            .wrap_err_with(|| running.log())?;
        running.stop();
    }
    Ok(())
}

/// The nodes of a dataflow file by their names.
fn nodes(file: &str) -> Result<BTreeMap<String, serde_yaml_ng::Value>> {
    let graph: serde_yaml_ng::Value = serde_yaml_ng::from_str(&fs::read_to_string(root().join(file))?)?;
    let nodes = graph["nodes"].as_sequence().cloned().unwrap_or_default();
    Ok(nodes.into_iter().map(|node| (node["id"].as_str().unwrap_or_default().to_owned(), node)).collect())
}

#[test]
fn the_mirror_is_the_one_without_ears_and_a_voice_before_control() -> Result<()> {
    let (plain, mut voice) = (nodes("dataflow.video.yml")?, nodes("dataflow.yml")?);
    for node in ["microphone", "vad", "stt", "rephrase"] {
        assert!(voice.remove(node).is_some(), "dataflow.yml has no {node}");
    }
    assert_eq!(plain.keys().collect::<Vec<_>>(), voice.keys().collect::<Vec<_>>());
    for (name, node) in plain {
        if ["control", "web"].contains(&name.as_str()) {
            // They have the same inputs, and those of the voice.
            for (port, source) in node["inputs"].as_mapping().into_iter().flatten() {
                assert_eq!(&voice[&name]["inputs"][port], source, "{name} {port:?}");
            }
        } else {
            assert_eq!(voice[&name], node, "{name} is another one in dataflow.yml");
        }
    }
    Ok(())
}

/// PulseAudio with a loudspeaker that leads nowhere; what is played to it is what its microphone hears.
struct Pulse {
    folder: TempDir,
    server: Option<Child>,
}

impl Pulse {
    fn new() -> Result<Self> {
        let mut pulse = Self { folder: TempDir::new()?, server: None };
        let server = pulse.server_address();
        let device =
            "type pulse server \"SERVER\" device \"fake.monitor\" hint { show on description \"fake microphone\" }";
        let conf = format!("pcm.!default {{ {device} }}\nctl.!default {{ type pulse server \"SERVER\" }}\n");
        // What Debian's own file brings (the plugin's type) comes first.
        let conf = format!("</usr/share/alsa/alsa.conf>\n{}", conf.replace("SERVER", &server));
        fs::write(pulse.conf(), conf)?;
        pulse.start()?;
        Ok(pulse)
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("asound.conf")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("native")
    }

    fn server_address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.folder.path()).env("XDG_RUNTIME_DIR", self.folder.path()).stdin(Stdio::null());
        command.env("PULSE_SERVER", self.server_address()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn start(&mut self) -> Result<()> {
        let socket = self.socket();
        let protocol = format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display());
        let sink = "module-null-sink sink_name=fake rate=44100 channels=2 format=s16le";
        let arguments = ["-n", "--daemonize=no", "--exit-idle-time=-1", "-L", &protocol, "-L", sink];
        let mut command = self.command("pulseaudio");
        command.env_remove("PULSE_SERVER");
        let server = command.args(arguments).spawn();
        self.server = Some(server.wrap_err("pulseaudio is missing: scripts/setup --tests installs it")?);
        wait_for("PulseAudio's socket", || socket.exists())
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = fs::remove_file(self.socket());
    }

    fn play(&self, file: &Path) -> Result<()> {
        let status = self.command("paplay").args(["-d", "fake"]).arg(file).status();
        if !status.wrap_err("paplay is missing: scripts/setup --tests installs it")?.success() {
            bail!("paplay cannot play {}", file.display());
        }
        Ok(())
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn what_is_said_into_a_microphone_is_heard_and_a_microphone_that_goes_comes_back() -> Result<()> {
    let mut pulse = Pulse::new()?;
    let flow = flow("default", Some(&pulse.conf()))?;
    let mut running = flow.start()?;
    wait(&flow, &running, "the microphone", || notice(&flow, "microphone default"))?;
    let chunks = || said(&flow, "sound").len();
    wait(&flow, &running, "sound", || chunks() > 10)?;
    pulse.play(&speech("comic.wav"))?;
    wait(&flow, &running, "an utterance", || said(&flow, "utterance").len() == 1)?;
    // Unplugged, and plugged in again.
    pulse.stop();
    wait(&flow, &running, "the notice that it has vanished", || notice(&flow, "has vanished"))?;
    pulse.start()?;
    wait(&flow, &running, "the notice that it is back", || notice(&flow, "back: microphone default"))?;
    let before = chunks();
    wait(&flow, &running, "sound again", || chunks() > before + 10)?;
    pulse.play(&speech("watercolour.wav"))?;
    wait(&flow, &running, "the second utterance", || said(&flow, "utterance").len() == 2)?;
    assert!(!running.has_ended()?, "{}", running.log());
    running.stop();
    assert!(!running.log().contains("ALSA lib"), "{}", running.log());
    let seconds: Vec<f64> =
        said(&flow, "utterance").iter().map(|one| one["samples"].as_f64().unwrap_or(0.0) / 16e3).collect();
    assert!((seconds[0] - 2.4).abs() < 0.35 && (seconds[1] - 2.0).abs() < 0.35, "{seconds:?}");
    Ok(())
}
