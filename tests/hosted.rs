//! The mirror's first and last stage as operators (`dataflow.operators.yml`): the pictures that encoder and decoder make with the
//! same code compiled in, while the libraries are swapped under load.

use eyre::{Result, ensure, eyre};
use mirror_imaging::{Preprocess, postprocess};
use mirror_tape::{Payload, Reader, Taped};
use mirror_tests::edited::Edited;
use mirror_tests::root;
use mirror_tests::running::{Running, wait_for};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const SIZE: usize = 128;
const OPACITY: f32 = 0.4;
const STAGES: [&str; 2] = ["preprocess", "postprocess"];

/// The graph with libraries of its own.
fn graph(folder: &Path) -> Result<Edited> {
    let graph = Edited::copy("dataflow.operators.yml")?;
    for stage in STAGES {
        graph.replace(&format!("target/release/lib{stage}.so"), &library(folder, stage).to_string_lossy())?;
    }
    Ok(graph)
}

fn library(folder: &Path, stage: &str) -> PathBuf {
    folder.join(format!("{stage}.so"))
}

/// Puts the library in place at once, as a build does: the same code, another file.
fn put(folder: &Path, stage: &str) -> Result<()> {
    let part = folder.join("part");
    fs::copy(root().join(format!("target/release/lib{stage}.so")), &part)?;
    Ok(fs::rename(part, library(folder, stage))?)
}

/// How many of the page's notices say that this stage's operator is live.
fn live(mirror: &Running, stage: &str) -> usize {
    let figures = mirror.get("/api/figures").unwrap_or_default();
    let notices = figures["notices"].as_array().cloned().unwrap_or_default();
    let begin = format!("operator {stage} is live");
    notices.iter().filter(|it| it["text"].as_str().is_some_and(|text| text.starts_with(&begin))).count()
}

/// The pictures of a topic by their frame's number: shape and pixels.
fn pictures<'a>(messages: &'a [Taped], topic: &str) -> HashMap<i64, ([usize; 2], &'a [u8])> {
    let own = messages.iter().filter(|taped| taped.topic == topic);
    own.filter_map(|taped| match &taped.payload {
        Payload::Bytes(pixels) => Some((taped.frame_id()?, (taped.picture()?, pixels.as_slice()))),
        _ => None,
    })
    .collect()
}

#[test]
fn the_first_and_the_last_stage_as_operators_make_the_same_pictures_while_they_are_swapped() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for stage in STAGES {
        put(folder.path(), stage)?;
    }
    let graph = graph(folder.path())?;
    let (file, size, opacity) = (graph.name(), SIZE.to_string(), format!("opacity={OPACITY}"));
    let arguments = ["--dataflow", &file, "--source", "assets/clip.mp4", "--size", &size, "--set", &opacity];
    let mirror = Running::start(&[&arguments[..], &["--prompt", "neon lights"]].concat())?;
    let ready = wait_for("both operators and pictures", || {
        let painted = mirror.get("/api/figures").is_ok_and(|figures| figures["prompt"] == "neon lights");
        painted && STAGES.iter().all(|stage| live(&mirror, stage) > 0)
    });
    ready.map_err(|error| eyre!("{error}\n{}", mirror.log()))?;

    let (tape, topics) =
        (folder.path().join("tape.mcap"), "camera/frame,encoder/source,decoder/picture,postprocess/picture");
    let arguments = ["record", "--raw", "--seconds", "5", "--free-mib", "1", "--topics", topics, "--out"];
    let recording = mirror.command(&arguments).arg(&tape).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    wait_for("the recording", || fs::metadata(&tape).is_ok_and(|file| file.len() > 1 << 20))?;
    for round in 2..=3 {
        for stage in STAGES {
            put(folder.path(), stage)?;
            let swapped = || live(&mirror, stage) >= round;
            wait_for(&format!("swap {round} of {stage}"), swapped)
                .map_err(|error| eyre!("{error}\n{}", mirror.log()))?;
        }
    }
    let said = recording.wait_with_output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    drop(mirror);

    let messages = Reader::open(&tape)?.collect::<Result<Vec<_>>>()?;
    let of = |topic| pictures(&messages, topic);
    let (frames, sources, painted, shown) =
        (of("camera/frame"), of("encoder/source"), of("decoder/picture"), of("postprocess/picture"));
    let (mut stage, mut expected, mut compared) = (Preprocess::default(), vec![0; SIZE * SIZE * 3], [0, 0]);
    for (id, (shape, seen)) in &sources {
        let Some((frame_shape, frame)) = frames.get(id) else { continue };
        stage.apply(frame, *frame_shape, SIZE, true, &mut expected)?;
        ensure!(*shape == [SIZE; 2] && *seen == expected, "preprocess: picture {id} is another one");
        compared[0] += 1;
    }
    for (id, (_, picture)) in &shown {
        let (Some((_, painted)), Some((_, source))) = (painted.get(id), sources.get(id)) else { continue };
        postprocess::apply(painted, Some(source), OPACITY, false, &mut expected)?;
        ensure!(*picture == expected && picture != painted, "postprocess: picture {id} is another one");
        compared[1] += 1;
    }
    // Where the recording begins and ends, one or two of a picture's messages may lie outside.
    for (stage, (compared, all)) in STAGES.iter().zip(compared.into_iter().zip([sources.len(), shown.len()])) {
        ensure!(compared > 10 && compared + 10 >= all, "{stage}: {compared} of {all} compared");
    }
    Ok(())
}
