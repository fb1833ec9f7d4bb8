//! Operators that are swapped while a graph runs: good ones, and every kind of bad one. No picture is lost.

use eyre::{Result, ensure, eyre};
use mirror_benches::flow::{Flow, Running};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pictures of one grey, numbered, through the host. Long queues: what is lost here is lost by the host.
/// Patience: on a busy machine a panic takes seconds to write down where it was.
const GRAPH: &str = r"
nodes:
  - id: sender
    path: target/release/tally
    env: { TALLY_SEND: 30, TALLY_SIZE: 128 }
    outputs: [picture]
  - id: operator
    path: target/release/operator
    restart_policy: on-failure
    max_restarts: 10
    restart_window: 60
    env: { OPERATOR_LIBRARY: operator.so, OPERATOR_PATIENCE_MS: 8000 }
    inputs:
      picture: { source: sender/picture, queue_size: 256 }
      tick: { source: dora/timer/millis/100, queue_size: 1 }
    outputs: [picture, notice]
  - id: tally
    path: target/release/tally
    env: { TALLY_OUT: seen.jsonl }
    inputs:
      picture: { source: operator/picture, queue_size: 256 }
      notice: { source: operator/notice, queue_size: 64, queue_policy: backpressure }
      tick: { source: dora/timer/millis/1000, queue_size: 1 }
";
/// What is said of pictures that did not come.
const MISSING: &str = "pictures are missing";
/// The grey that is sent.
const GREY: [u64; 3] = [100; 3];
/// The grey of the operator `tires`.
const TIRED: [u64; 3] = [7; 3];

/// Longer than anything takes on a slow machine that builds at the same time.
const PATIENCE: Duration = Duration::from_secs(120);

struct Graph {
    flow: Flow,
    running: Running,
}

impl Graph {
    fn start() -> Result<Self> {
        let flow = Flow::new(&root(), GRAPH)?;
        let running = flow.start()?;
        let graph = Self { flow, running };
        graph.until("the first pictures", |lines| pictures(lines).count() > 3)?;
        Ok(graph)
    }

    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.flow.path("seen.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn until(&self, what: &str, mut is_so: impl FnMut(&[Value]) -> bool) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while !is_so(&self.lines()) {
            let log = || format!("{}\n{:?}\n{:?}", self.running.log(), self.notices(), self.lines().last());
            ensure!(Instant::now() < until, "{what} did not happen in {} s:\n{}", PATIENCE.as_secs(), log());
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Waits for a notice that begins so, and for a picture after it; then that picture's first pixel.
    fn after(&self, notice: &str) -> Result<[u64; 3]> {
        let mut pixel = None;
        self.until(&format!("a picture after \"{notice}\""), |lines| {
            let said =
                lines.iter().position(|line| line["notice"].as_str().is_some_and(|text| text.starts_with(notice)));
            // The notice overtakes no picture that was painted before it, but one may have been on its way.
            pixel = said.and_then(|said| pictures(&lines[said..]).nth(3)).map(colour);
            pixel.is_some()
        })?;
        pixel.ok_or_else(|| eyre!("no picture"))
    }

    fn notices(&self) -> Vec<String> {
        self.lines().iter().filter_map(|line| Some(line["notice"].as_str()?.to_owned())).collect()
    }

    /// Puts a library in place at once, as `make operator` does.
    fn put(&self, bytes: &[u8]) -> Result<()> {
        let part = self.flow.path("operator.part");
        fs::write(&part, bytes)?;
        Ok(fs::rename(part, self.flow.path("operator.so"))?)
    }

    /// The host's process: dora has started it.
    fn host(&self) -> Result<String> {
        let of = |pid: &str| -> Option<bool> {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let of = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
            Some(of("Name:")? == "operator" && of("PPid:")? == self.running.pid().to_string())
        };
        let pids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        pids.into_iter().find(|pid| of(pid) == Some(true)).ok_or_else(|| eyre!("the host does not run"))
    }

    /// All pictures that were sent have come, once each, in order; the host has dropped none.
    fn nothing_is_lost(&self) -> Result<()> {
        let lines = self.lines();
        let numbers: Vec<i64> = pictures(&lines).filter_map(|line| line["picture"].as_i64()).collect();
        let first = *numbers.first().ok_or_else(|| eyre!("no pictures"))?;
        let expected: Vec<i64> = (first..first + numbers.len() as i64).collect();
        ensure!(numbers == expected, "{MISSING}: {numbers:?}");
        for line in pictures(&lines) {
            ensure!(line["drops"] == 0, "{line}");
            ensure!(line["stages"] == serde_json::json!(["sender", "operator"]), "{line}");
        }
        // dora needs a moment to find the fast paths.
        for line in pictures(&lines).skip(60) {
            ensure!(line["shared"] == true, "a copy: {line}");
        }
        Ok(())
    }
}

/// A machine that stalls loses pictures on dora's way between two processes, now here, now there. What the host loses it loses
/// every time: one of three runs must be whole. Any other fault counts at once.
fn in_three(run: impl Fn() -> Result<()>) -> Result<()> {
    for _ in 0..2 {
        match run() {
            Err(error) if error.to_string().starts_with(MISSING) => eprintln!("once more: {error}"),
            end => return end,
        }
    }
    run()
}

fn pictures(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line["picture"].is_i64())
}

fn colour(line: &Value) -> [u64; 3] {
    [0, 1, 2].map(|at| line["pixel"][at].as_u64().unwrap_or(999))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

fn library(name: &str) -> PathBuf {
    root().join(format!("target/release/lib{name}.so"))
}

fn bytes(name: &str) -> Result<Vec<u8>> {
    let path = library(name);
    fs::read(&path)
        .map_err(|error| eyre!("{}: {error}; build it with \"cargo build --release --workspace\"", path.display()))
}

#[test]
fn a_new_operator_takes_over_between_two_pictures_and_an_old_one_when_it_fails() -> Result<()> {
    in_three(|| {
        let graph = Graph::start()?;
        assert_eq!(graph.after("no operator (operator.so is not there): pictures pass unchanged")?, GREY);

        graph.put(&bytes("grade")?)?;
        let graded = graph.after("operator grade is live")?;
        assert_ne!(graded, GREY);

        // Written over in place, in several steps, as some tools do.
        let tires = bytes("operator_tires")?;
        let mut file = File::create(graph.flow.path("operator.so"))?;
        for part in tires.chunks(tires.len() / 5) {
            file.write_all(part)?;
            sleep(Duration::from_millis(200));
        }
        assert_eq!(graph.after("operator operator-tires is live, grade stands by")?, TIRED);
        let failed = "operator operator-tires has failed: operator on_event panicked: twenty pictures are enough; grade paints again";
        assert_eq!(graph.after(failed)?, graded);
        let lines = graph.lines();
        assert_eq!(pictures(&lines).filter(|line| colour(line) == TIRED).count(), 19, "the twentieth was a try");

        graph.put(&bytes("kaleidoscope")?)?;
        assert_eq!(graph.after("operator kaleidoscope is live, grade stands by")?, GREY);
        fs::remove_file(graph.flow.path("operator.so"))?;
        assert_eq!(graph.after("operator kaleidoscope is taken out: pictures pass unchanged")?, GREY);
        graph.nothing_is_lost()
    })
}

#[test]
fn a_library_that_is_broken_in_any_way_is_refused_and_the_old_operator_goes_on() -> Result<()> {
    in_three(|| {
        let graph = Graph::start()?;
        let grade = bytes("grade")?;
        graph.put(&grade)?;
        let graded = graph.after("operator grade is live")?;
        let host = graph.host()?;
        let broken: Vec<(&str, Vec<u8>, &str)> = vec![
            (
                "a symbol is missing",
                bytes("operator_bare")?,
                "it is no operator of the mirror: it lacks the symbol dora_",
            ),
            (
                "another version",
                bytes("operator_stale")?,
                "it was built for \"dora-operator-api 0.3.0, Arrow 52, mirror 0\"",
            ),
            (
                "a panic",
                bytes("operator_panics")?,
                "on picture 1 of its trial: operator on_event panicked: no picture of 128 rows",
            ),
            (
                "an error on the second picture",
                bytes("operator_fails")?,
                "on picture 2 of its trial: the second picture is too much",
            ),
            (
                "pictures of another size",
                bytes("operator_shrinks")?,
                "on picture 1 of its trial: it has sent 49151 bytes for",
            ),
            ("an abort", bytes("operator_aborts")?, "it takes its process down (aborted)"),
            ("no answer", bytes("operator_hangs")?, "on picture 1 of its trial: it has not answered within 8000 ms"),
            ("half of a library", grade[..grade.len() / 2].to_vec(), "the file is cut short"),
            ("no library", b"this is a letter\n".to_vec(), "the file is no shared library"),
            (
                "another library",
                fs::read(root().join(".mirror/onnxruntime/libonnxruntime.so"))?,
                "it is no operator of the mirror: it lacks",
            ),
        ];
        for (what, bytes, words) in broken {
            graph.put(&bytes)?;
            let notice = format!("the new operator is refused, all goes on as before: {words}");
            let pixel = graph.after(&notice).map_err(|error| eyre!("{what}: {error}\n{:?}", graph.notices()))?;
            assert_eq!(pixel, graded, "{what}");
        }
        assert_eq!(graph.host()?, host, "the host has not ended");
        let lines = graph.lines();
        let live = lines.iter().position(|line| line["notice"] == "operator grade is live").expect("it was");
        let others = pictures(&lines[live..]).skip(3).filter(|line| colour(line) != graded).count();
        assert_eq!(others, 0, "every picture was painted by the old operator");
        graph.nothing_is_lost()?;
        let folder = fs::read_dir(graph.flow.path("."))?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        assert_eq!(folder.filter(|name| name.starts_with(".operator-")).count(), 0, "copies are cleared away");
        Ok(())
    })
}

#[test]
fn a_library_that_takes_the_host_down_again_and_again_is_left_out_and_pictures_pass() -> Result<()> {
    let graph = Graph::start()?;
    graph.put(&bytes("operator_dies")?)?;
    let left_out =
        "the new operator is refused, all goes on as before: it was live when the host ended 3 times within a minute";
    assert_eq!(graph.after(left_out)?, GREY);
    // Another one is welcome.
    graph.put(&bytes("operator_tires")?)?;
    assert_eq!(graph.after("operator operator-tires is live")?, TIRED);
    Ok(())
}

#[test]
fn the_mirrors_own_stages_are_swapped_as_any_operator_and_no_picture_is_lost() -> Result<()> {
    in_three(|| {
        let graph = Graph::start()?;
        let [preprocess, postprocess] = [bytes("preprocess")?, bytes("postprocess")?];
        for _ in 0..3 {
            graph.put(&preprocess)?;
            // The grey stays what it is, four times as wide and as high.
            assert_eq!(graph.after("operator preprocess is live")?, GREY);
            graph.put(&postprocess)?;
            assert_eq!(graph.after("operator postprocess is live, preprocess stands by")?, GREY);
        }
        let lines = graph.lines();
        let sizes: BTreeSet<u64> = pictures(&lines).filter_map(|line| line["bytes"].as_u64()).collect();
        assert_eq!(sizes, BTreeSet::from([128 * 128 * 3, 512 * 512 * 3]));
        graph.nothing_is_lost()
    })
}

#[test]
fn an_operator_sees_the_senders_shared_memory_itself() -> Result<()> {
    let graph = Graph::start()?;
    graph.put(&bytes("operator_address")?)?;
    graph.after("operator operator-address is live")?;
    let maps = fs::read_to_string(format!("/proc/{}/maps", graph.host()?))?;
    let lines = graph.lines();
    let address =
        pictures(&lines).last().and_then(|line| line["first_bytes"].as_u64()).ok_or_else(|| eyre!("no picture"))?;
    assert!(
        mirror_benches::shared::holds(&maps, usize::try_from(address)?),
        "{address:x} is no shared memory:\n{maps}"
    );
    Ok(())
}

#[test]
fn a_python_operator_runs_under_doras_own_runtime_carries_the_stamp_across_and_says_what_it_takes_up() -> Result<()> {
    let source = root().join("operators/posterise.py");
    let python = format!(
        "  - id: posterise
    operator:
      python: {}
      inputs:
        picture: {{ source: sender/picture, queue_size: 256 }}
      outputs: [picture, taken]
",
        source.display()
    );
    let (before, rest) = GRAPH.split_once("  - id: operator\n").ok_or_else(|| eyre!("no operator"))?;
    let (_, after) = rest.split_once("  - id: tally\n").ok_or_else(|| eyre!("no tally"))?;
    let after = after
        .replace("operator/picture", "posterise/picture")
        .replace("notice: { source: operator/notice", "taken: { source: posterise/taken");
    let flow = Flow::new(&root(), &format!("{before}{python}  - id: tally\n{after}"))?;
    let graph = Graph { running: flow.start()?, flow };
    graph.until("a picture", |lines| pictures(lines).count() > 5)?;
    let lines = graph.lines();
    for line in pictures(&lines) {
        assert_eq!(line["stages"], serde_json::json!(["sender", "posterise"]), "{line}");
        // The second of five levels.
        assert_eq!(colour(line), [64; 3], "{line}");
    }
    let stamp = |line: &Value, number: &str| Some((line[number].as_i64()?, line["sent_ns"].as_i64()?));
    let taken: BTreeSet<_> = lines.iter().filter_map(|line| stamp(line, "taken")).collect();
    let painted = pictures(&lines).filter_map(|line| stamp(line, "picture"));
    // The word goes another way than the picture: of the last ones it may not have come yet.
    let painted: Vec<_> = painted.collect();
    assert!(painted[..painted.len() - 2].iter().all(|picture| taken.contains(picture)), "{painted:?} {taken:?}");
    Ok(())
}
