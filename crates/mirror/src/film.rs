//! `mirror record --mp4`: what a running mirror shows as a film.

use crate::page::Page;
use crate::record::LINES;
use crate::screen::Screen;
use crate::signals;
use crate::which::Which;
use eyre::{Result, WrapErr, bail, eyre};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// The program that makes it.
const PROGRAM: &str = "target/release/film";
/// Between two looks at whether the film is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Has the film made until somebody has had enough, or for so many seconds.
///
/// # Errors
/// No mirror runs; a film that could not begin, or that the disk or the mirror's end cut short.
pub fn record(root: &Path, which: &Which, out: &Path, seconds: Option<f64>, free_mib: u32) -> Result<()> {
    let program = root.join(PROGRAM);
    if !program.is_file() {
        bail!("not built: {PROGRAM}; run \"make build\"");
    }
    let page = Page::of_mirror(root, which)?;
    let mut command = Command::new(program);
    command.args(["--piped", "--url", page.address(), "--free-mib", &free_mib.to_string(), "--out"]).arg(out);
    command.envs(page.token().map(|token| ("WEB_TOKEN", token)));
    command.args(seconds.map(|seconds| format!("--seconds={seconds}")));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.wrap_err_with(|| format!("{PROGRAM} cannot be started"))?;
    let mut screen = Screen::new();
    let last = follow(&mut screen, &mut child);
    screen.clear();
    let (status, last) = (child.wait()?, last?);
    let mut fault = String::new();
    child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut fault)).transpose()?;
    match last {
        Some(last) if status.success() => {
            screen.say(&last);
            if last.contains(';') { bail!("the film is not whole: {last}") } else { Ok(()) }
        }
        // FFmpeg may have said something before.
        _ => Err(eyre!("{}", fault.trim().lines().last().unwrap_or_default().trim_start_matches("error: "))),
    }
}

/// Shows what the program says, until it has ended: its last word.
fn follow(screen: &mut Screen, child: &mut Child) -> Result<Option<String>> {
    let said = child.stdout.take().ok_or_else(|| eyre!("{PROGRAM} says nothing"))?;
    // It ends when its input does.
    let input = child.stdin.take();
    std::thread::spawn(move || {
        while !signals::stop() {
            sleep(LOOK);
        }
        drop(input);
    });
    let mut last = None;
    for line in BufReader::new(said).lines() {
        let line = line?;
        match LINES.map(|begin| line.strip_prefix(begin)) {
            [Some(progress), _] => screen.show(progress),
            [_, Some(word)] => last = Some(word.to_owned()),
            _ => screen.say(&format!("{line}; Ctrl-C ends it")),
        }
    }
    Ok(last)
}
