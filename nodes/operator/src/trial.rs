//! The trial of a library in a process of its own: whatever it does there, the mirror goes on.
//!
//! The host starts its own program again, `operator --try LIBRARY`, and hands it a picture. That process loads the library
//! and has the picture painted a few times. A library that crashes on loading, aborts, exits or never answers does so there.

use crate::host::Runs;
use crate::sample::Sample;
use crate::worker::Worker;
use arrow::array::{ArrayRef, UInt8Array};
use eyre::{Result, WrapErr, bail, ensure, eyre};
use mirror_operator::Context;
use mirror_operator::operator::CHANNELS;
use std::io::{BufRead, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, io};

/// The argument that makes this program a trial.
const TRY: &str = "--try";
/// How often the picture is painted: an operator may fail on its second picture.
const PICTURES: usize = 3;
/// How far a trial stands back behind the nodes that paint: half of the way (nice(2)).
const NICE: i32 = 10;
/// What the last line of a trial begins with: the outcome.
const OUTCOME: &str = "operator-trial ";
/// Between two looks at whether the trial has ended.
const LOOK: Duration = Duration::from_millis(2);

/// Tries a library in a process of its own.
///
/// # Errors
/// What is wrong with it, in words for people.
pub fn pass(library: &Path, sample: &Sample, patience: Duration) -> Result<()> {
    let mut command = Command::new("/proc/self/exe");
    command.arg(TRY).arg(library).arg(patience.as_millis().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().wrap_err("no process for its trial")?;
    // It reads before it loads anything: this cannot hang. One that ends before it has read all says why below.
    if let Some(mut to) = child.stdin.take() {
        let _ = to.write_all(format!("{}\n", sample.context).as_bytes());
        for picture in [Some(&sample.picture), sample.source.as_ref()].into_iter().flatten() {
            let _ = picture.to_data().buffers().first().map(|pixels| to.write_all(pixels));
        }
    }
    // The trial gives up by itself: this is for one whose library has taken hold of all its threads.
    let ended = wait(&mut child, patience * (2 + PICTURES as u32))?;
    let mut said = String::new();
    if let Some(mut from) = child.stdout.take() {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        said = String::from_utf8_lossy(&bytes).into_owned();
    }
    outcome(ended, &said)
}

fn wait(child: &mut Child, patience: Duration) -> Result<ExitStatus> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            bail!("its trial did not end within {} ms", patience.as_millis());
        }
        sleep(LOOK);
    }
}

/// What the end of a trial means.
fn outcome(status: ExitStatus, said: &str) -> Result<()> {
    let word = said.lines().rev().find_map(|line| line.strip_prefix(OUTCOME));
    match (word, status.signal()) {
        (Some("passed"), _) if status.success() => Ok(()),
        (_, Some(signal)) => bail!("it takes its process down ({})", name(signal)),
        (Some(refusal), _) => Err(eyre!("{refusal}")),
        (None, None) => bail!("it ends its process ({status})"),
    }
}

fn name(signal: i32) -> String {
    match signal {
        libc::SIGABRT => "aborted".to_owned(),
        libc::SIGSEGV | libc::SIGBUS => "memory fault".to_owned(),
        libc::SIGILL => "illegal instruction".to_owned(),
        signal => format!("signal {signal}"),
    }
}

/// Runs a trial, if this process was started for one.
#[must_use]
pub fn asked() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != TRY {
        return None;
    }
    let mut given = || Some((arguments.next()?, arguments.next()?.to_str()?.parse().ok()?));
    let given = given().ok_or_else(|| eyre!("{TRY} takes a library and its patience in milliseconds"));
    match given.and_then(|(library, patience)| run(Path::new(&library), Duration::from_millis(patience))) {
        Ok(()) => println!("{OUTCOME}passed"),
        Err(error) => println!("{OUTCOME}{}", mirror_kit::start::one_line(&error)),
    }
    Some(ExitCode::SUCCESS)
}

/// The trial itself.
fn run(library: &Path, patience: Duration) -> Result<()> {
    let mut from = io::stdin().lock();
    let mut context = String::new();
    from.read_line(&mut context)?;
    let context = context.trim_end_matches('\n');
    let mut pixels = Vec::new();
    from.read_to_end(&mut pixels)?;
    let Context { height, width, .. } = Context::read(context)?;
    let len = height * width * CHANNELS;
    ensure!([len, 2 * len].contains(&pixels.len()), "the picture of the trial is not whole");
    // After the picture comes what it was painted from, if that is known.
    let array = |pixels: Vec<u8>| -> ArrayRef { Arc::new(UInt8Array::from(pixels)) };
    let source = pixels.split_off(len);
    let source = (!source.is_empty()).then(|| array(source));
    let sample = Sample { picture: array(pixels), source, shape: [height, width], context: context.to_owned() };
    // SAFETY: nice and alarm have no memory to harm. A trial stands back behind the nodes that paint; one whose host is gone, and
    // whose library hangs, ends by the alarm.
    unsafe { libc::nice(NICE) };
    // SAFETY: as above.
    unsafe { libc::alarm(u32::try_from(patience.as_secs()).unwrap_or(0).saturating_mul(2 + PICTURES as u32) + 10) };
    let mut worker = Worker::start(library.to_owned(), patience)?;
    for number in 1..=PICTURES {
        worker.run(&sample).wrap_err_with(|| format!("on picture {number} of its trial"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(raw: i32, said: &str) -> String {
        outcome(ExitStatus::from_raw(raw), said).map_or_else(|error| error.to_string(), |()| "passed".to_owned())
    }

    #[test]
    fn a_trial_passes_only_with_its_word_and_a_good_end() {
        assert_eq!(ended(0, "hello\noperator-trial passed\n"), "passed");
        assert_eq!(ended(0, "passed\n"), "it ends its process (exit status: 0)");
        assert_eq!(ended(libc::SIGSEGV, "operator-trial passed\n"), "it takes its process down (memory fault)");
        assert_eq!(ended(3 << 8, ""), "it ends its process (exit status: 3)");
    }

    #[test]
    fn a_refusal_is_handed_on_in_its_words() {
        assert_eq!(ended(0, "operator-trial it lacks the symbol x\n"), "it lacks the symbol x");
    }
}
