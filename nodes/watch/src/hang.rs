//! Who hangs: a stage into which something came, and out of which nothing has come since.

use crate::graph::Stage;
use std::collections::HashMap;
use std::time::Duration;

/// What is known of the stages. The clock is the caller's, and only rises.
#[derive(Debug)]
pub struct Watch {
    stages: Vec<Watched>,
    patience: Duration,
    /// When an output was seen last.
    seen: HashMap<String, Duration>,
}

#[derive(Debug)]
struct Watched {
    stage: Stage,
    /// It has put something out since it was started: its models are open.
    works: bool,
    /// When the first thing came in that nothing has come of yet.
    waiting: Option<Duration>,
    /// How long its last output took.
    took: Duration,
}

/// A stage hangs when it takes so many times as long as the last time, and longer than the patience: fifty steps of a large
/// picture on a small machine take a minute, each time.
const TIMES: u32 = 4;

impl Watch {
    /// A watch over these stages, earlier ones first.
    #[must_use]
    pub fn new(stages: Vec<Stage>, patience: Duration) -> Self {
        let watched = |stage| Watched { stage, works: false, waiting: None, took: Duration::ZERO };
        Self { stages: stages.into_iter().map(watched).collect(), patience, seen: HashMap::new() }
    }

    /// An output was seen.
    pub fn saw(&mut self, output: &str, now: Duration) {
        if let Some(seen) = self.seen.get_mut(output) {
            *seen = now;
        } else {
            self.seen.insert(output.to_owned(), now);
        }
        for watched in &mut self.stages {
            if watched.stage.output == output {
                watched.works = true;
                watched.took = watched.waiting.map_or(Duration::ZERO, |since| now.saturating_sub(since));
                // What only a timer drives has to be seen again and again.
                watched.waiting = watched.stage.inputs.is_empty().then_some(now);
            } else if watched.waiting.is_none() && watched.stage.inputs.iter().any(|input| input == output) {
                watched.waiting = Some(now);
            }
        }
    }

    /// The stage that hangs. Of several the earliest: the ones after it have nothing to do.
    ///
    /// One that has put nothing out since it was started is opening its models, which takes what it takes.
    #[must_use]
    pub fn hung(&self, now: Duration) -> Option<&Stage> {
        let hangs = |watched: &&Watched| {
            let patience = self.patience.max(watched.took.saturating_mul(TIMES));
            let late = watched.waiting.is_some_and(|since| now.saturating_sub(since) >= patience);
            // A source that has stopped since leaves nothing to do: its stages may rest.
            let busy = watched.stage.inputs.is_empty()
                || watched.stage.inputs.iter().any(|input| {
                    self.seen.get(input).is_some_and(|seen| now.saturating_sub(*seen) < self.patience / 2)
                });
            watched.works && late && busy
        };
        self.stages.iter().find(hangs).map(|watched| &watched.stage)
    }

    /// A stage is started again: what was expected of it is not any more.
    pub fn forget(&mut self, node: &str) {
        for watched in self.stages.iter_mut().filter(|watched| watched.stage.node == node) {
            (watched.works, watched.waiting) = (false, None);
        }
    }

    /// Everybody has a new start: this process itself has stood still.
    pub fn forget_all(&mut self) {
        for watched in &mut self.stages {
            (watched.works, watched.waiting) = (false, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn watch() -> Watch {
        let stage = |node: &str, output: &str, inputs: &[&str]| Stage {
            node: node.to_owned(),
            output: output.to_owned(),
            inputs: inputs.iter().map(ToString::to_string).collect(),
        };
        let stages = vec![
            stage("encoder", "encoder/latent", &["camera/frame", "web/frame"]),
            stage("diffusion", "diffusion/denoised", &["encoder/latent"]),
            stage("control", "control/settings", &[]),
        ];
        Watch::new(stages, 10 * SECOND)
    }

    /// Sees these outputs in every second of a stretch; who hangs at its end.
    fn run(watch: &mut Watch, seconds: std::ops::Range<u32>, outputs: &[&str]) -> Option<String> {
        let end = seconds.end;
        for second in seconds {
            outputs.iter().for_each(|output| watch.saw(output, second * SECOND));
        }
        watch.hung((end - 1) * SECOND).map(|stage| stage.node.clone())
    }

    const ALL: [&str; 4] = ["camera/frame", "encoder/latent", "diffusion/denoised", "control/settings"];

    #[test]
    fn a_stage_that_takes_in_and_puts_nothing_out_hangs() {
        let mut watch = watch();
        assert_eq!(run(&mut watch, 0..20, &ALL), None);
        let without = ["camera/frame", "encoder/latent", "control/settings"];
        assert_eq!(run(&mut watch, 20..30, &without), None, "not yet");
        assert_eq!(run(&mut watch, 30..31, &without).as_deref(), Some("diffusion"));
    }

    #[test]
    fn of_a_path_that_stands_still_the_stage_hangs_that_the_others_wait_for() {
        let mut watch = watch();
        run(&mut watch, 0..20, &ALL);
        assert_eq!(run(&mut watch, 20..50, &["camera/frame", "control/settings"]).as_deref(), Some("encoder"));
    }

    #[test]
    fn a_stage_hangs_as_well_when_visitors_alone_have_something_for_it() {
        let mut watch = watch();
        run(&mut watch, 0..20, &ALL);
        assert_eq!(
            run(&mut watch, 20..40, &["web/frame", "encoder/latent", "diffusion/denoised", "control/settings"]),
            None
        );
        assert_eq!(run(&mut watch, 40..60, &["web/frame", "control/settings"]).as_deref(), Some("encoder"));
    }

    #[test]
    fn a_camera_that_is_gone_and_comes_back_makes_nobody_hang() {
        let mut watch = watch();
        run(&mut watch, 0..20, &ALL);
        assert_eq!(run(&mut watch, 20..80, &["control/settings"]), None);
        assert_eq!(run(&mut watch, 80..81, &["camera/frame", "control/settings"]), None);
        assert_eq!(run(&mut watch, 81..100, &ALL), None);
    }

    #[test]
    fn a_stage_that_opens_its_models_may_take_as_long_as_it_takes() {
        let mut watch = watch();
        assert_eq!(run(&mut watch, 0..600, &["camera/frame", "control/settings"]), None);
        run(&mut watch, 600..610, &ALL);
        watch.forget("encoder");
        assert_eq!(run(&mut watch, 610..700, &["camera/frame", "control/settings"]), None);
    }

    #[test]
    fn a_stage_that_is_always_slow_does_not_hang() {
        let mut watch = watch();
        let inputs = ["camera/frame", "encoder/latent", "control/settings"];
        // A picture a minute, from the start on: the first one is waited for, the next ones take no longer.
        for minute in 0..5 {
            assert_eq!(run(&mut watch, minute * 60..minute * 60 + 60, &inputs), None);
            watch.saw("diffusion/denoised", (minute * 60 + 60) * SECOND);
        }
        assert_eq!(run(&mut watch, 300..539, &inputs), None);
        assert_eq!(run(&mut watch, 539..560, &inputs).as_deref(), Some("diffusion"));
        // One that has been quick again is expected to be.
        watch.forget("diffusion");
        run(&mut watch, 560..580, &ALL);
        assert_eq!(run(&mut watch, 580..595, &inputs).as_deref(), Some("diffusion"));
    }

    #[test]
    fn a_node_that_a_timer_drives_must_be_heard_of() {
        let mut watch = watch();
        run(&mut watch, 0..20, &ALL);
        let without = ["camera/frame", "encoder/latent", "diffusion/denoised"];
        assert_eq!(run(&mut watch, 20..29, &without), None);
        assert_eq!(run(&mut watch, 29..31, &without).as_deref(), Some("control"));
    }

    #[test]
    fn a_watch_that_has_stood_still_itself_blames_nobody() {
        let mut watch = watch();
        run(&mut watch, 0..20, &ALL);
        watch.forget_all();
        assert_eq!(run(&mut watch, 500..501, &["camera/frame", "encoder/latent"]), None);
    }
}
