//! The figures as people read them: one line for the log, a few for the window.

use mirror_imaging::text::shorten;
use mirror_kit::Summary;
use std::fmt::Write;

/// Longest prompt in a line, in characters.
const PROMPT_COLUMNS: usize = 60;

/// The line for the log:
/// `29.8 fps, age 41/58 ms (p50/p99), drops 3, encoder 5.1/6.0 ms, …, prompt "neon lights", pack starter on CPU`.
#[must_use]
pub fn line(summary: &Summary) -> String {
    if summary.frames == 0 {
        return "no picture yet".to_owned();
    }
    let Summary { fps, age_ms, drops, prompt, .. } = summary;
    let mut line = format!("{fps:.1} fps, age {:.0}/{:.0} ms (p50/p99), drops {drops}", age_ms.p50, age_ms.p99);
    for stage in &summary.stages {
        // Writing into a String cannot fail.
        let _ = write!(line, ", {} {:.1}/{:.1} ms", stage.stage, stage.ms.p50, stage.ms.p99);
    }
    if !summary.pack.is_empty() {
        let prompt = shorten(&prompt.replace(['\n', '\r'], " "), PROMPT_COLUMNS);
        let _ = write!(line, ", prompt \"{prompt}\", pack {} on {}", summary.pack, summary.provider);
    }
    line
}

/// The lines on the picture, none longer than `columns` characters.
#[must_use]
pub fn lines(summary: &Summary, columns: usize) -> String {
    let Summary { fps, age_ms, drops, .. } = summary;
    let mut lines = vec![format!("{fps:.1} fps"), format!("age {:.0} ms, 99 % under {:.0} ms", age_ms.p50, age_ms.p99)];
    let width = summary.stages.iter().map(|stage| stage.stage.chars().count()).max().unwrap_or(0);
    for stage in &summary.stages {
        lines.push(format!("{:width$} {:6.1} ms", stage.stage, stage.ms.p50));
    }
    lines.push(format!("drops {drops}"));
    if !summary.pack.is_empty() {
        lines.push(format!("{} on {}", summary.pack, summary.provider));
    }
    if !summary.prompt.is_empty() {
        lines.push(format!("\"{}\"", summary.prompt.replace(['\n', '\r'], " ")));
    }
    lines.iter().map(|line| shorten(line, columns)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_kit::figures::{Spread, StageFigures};

    fn summary() -> Summary {
        let stage = |stage: &str, p50: f64, p99: f64| StageFigures {
            stage: stage.to_owned(),
            fps: 29.84,
            age_ms: Spread { p50: 2.0 * p50, p99: 2.0 * p99 },
            ms: Spread { p50, p99 },
            hop_ms: Spread::default(),
            drops: 0,
        };
        Summary {
            frames: 149,
            fps: 29.84,
            age_ms: Spread { p50: 41.2, p99: 58.4 },
            stages: vec![stage("camera", 0.31, 0.5), stage("encoder", 5.12, 6.04)],
            drops: 3,
            source: "film clip.mp4, 30.000 fps".to_owned(),
            prompt: "neon\nlights".to_owned(),
            pack: "starter".to_owned(),
            provider: "CPU".to_owned(),
        }
    }

    #[test]
    fn the_line_holds_every_figure() {
        let expected = "29.8 fps, age 41/58 ms (p50/p99), drops 3, camera 0.3/0.5 ms, encoder 5.1/6.0 ms, \
                        prompt \"neon lights\", pack starter on CPU";
        assert_eq!(line(&summary()), expected);
    }

    #[test]
    fn before_the_first_picture_the_line_says_so() {
        assert_eq!(line(&Summary { frames: 0, ..summary() }), "no picture yet");
    }

    #[test]
    fn a_long_prompt_is_shortened() {
        let summary = Summary { prompt: "x".repeat(500), ..summary() };
        assert!(line(&summary).contains(&format!("{}…", "x".repeat(59))));
        assert!(lines(&summary, 30).lines().all(|line| line.chars().count() <= 30));
    }

    #[test]
    fn the_overlay_has_a_row_for_each_stage() {
        let text = lines(&summary(), 80);
        let expected = "29.8 fps\nage 41 ms, 99 % under 58 ms\ncamera     0.3 ms\nencoder    5.1 ms\ndrops 3\n\
                        starter on CPU\n\"neon lights\"";
        assert_eq!(text, expected);
    }
}
