//! The results as people read them.

use crate::flow::Pace;
use crate::limit::{Calm, Limit};
use crate::whole::Whole;
use mirror_kit::figures::Spread;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// Limit and dataflow of one size, measured one right after the other.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// The bare models.
    pub limit: Limit,
    /// The dataflow with more pictures coming than it can paint: by pace, what the probe found.
    pub full: Vec<(String, Value)>,
    /// The three models in one process, with more pictures coming than it can paint: by shape.
    pub fused: Vec<(String, Value)>,
    /// The dataflow with fewer pictures coming than it can paint.
    pub calm: Value,
    /// The bare stages in turn, at the pace of the calm run.
    pub bare_calm: Calm,
    /// The three models in one process, with fewer.
    pub fused_calm: Value,
    /// Pictures a second that came in the calm run.
    pub calm_fps: f64,
    /// Memory of the whole graph, in MiB.
    pub memory_mib: f64,
}

/// One size.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    /// Side of the picture.
    pub size: usize,
    /// Every time it was measured.
    pub rounds: Vec<Round>,
}

impl Size {
    /// The median over the rounds.
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The medians of p50 and p99.
    fn spread(&self, of: impl Fn(&Round) -> Spread) -> String {
        format!("{:.1} / {:.1}", self.median(|round| of(round).p50), self.median(|round| of(round).p99))
    }
}

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Results {
    /// Processor and number of cores.
    pub machine: String,
    /// The day, in UTC.
    pub date: String,
    /// The pack.
    pub pack: String,
    /// Load average of the machine when it began: above 0.5 the figures are not worth much.
    pub load: f64,
    /// By size.
    pub sizes: Vec<Size>,
    /// Hops: name, bytes, findings.
    pub hops: Vec<(String, Value)>,
    /// The whole mirror, by size.
    pub wholes: Vec<Whole>,
}

fn spread(value: &Value) -> Spread {
    let of = |key: &str| value[key].as_f64().unwrap_or(f64::NAN);
    Spread { p50: of("p50"), p99: of("p99") }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

impl Results {
    /// The table in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let Self { machine, date, pack, load, .. } = self;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# Speed of the pack {pack}\n\n{machine}, {date}; load {load:.1} at the start. Times in ms, p50 / p99.\n"
        );
        let rounds = self.sizes.first().map_or(0, |size| size.rounds.len());
        let _ = writeln!(
            text,
            "`make bench` writes this file. Limit and dataflow took turns, {rounds} times; each figure is the median of its {rounds}, a ratio that of the ratios.\n\
             The *limit* is the pack's bare ONNX Runtime sessions in one process without a dataflow: one after another on all cores, or\n\
             pipelined over a thread a stage, whichever is faster. *Full* sends a quarter more pictures than can be painted, at each of the paces\n\
             (the encoder's input `taken`: `decoder/finished`, `decoder/taken` as in dataflow.yml; its input `finished`: `diffusion/denoised` with a\n\
             third of the cores for each stage; `taken`: `diffusion/taken` with all of them for each). Where there are two cores and a third is one,\n\
             the UNet has one to itself: `DIFFUSION_CORES` keeps the model to it, and `cpu_affinity` the camera and the rest of the node off it. *Fused* is the three models in one process (the node `fused`), in turn\n\
             or overlapped. *Calm* sends half of the limit:\n\
             a processor that rests between pictures is slower than one that never does, so the bare stages are run at that pace as well.\n\
             *Age* runs from the camera's stamp to the picture's arrival at its sink.\n"
        );
        let _ = writeln!(
            text,
            "| | {} |",
            self.sizes.iter().map(|size| format!("{0} × {0}", size.size)).collect::<Vec<_>>().join(" | ")
        );
        let _ = writeln!(text, "|---|{}", "---|".repeat(self.sizes.len()));
        let mut row = |name: &str, cell: &dyn Fn(&Size) -> String| {
            let cells: Vec<String> = self.sizes.iter().map(cell).collect();
            let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        };
        for (index, stage) in ["encoder", "diffusion", "decoder"].iter().enumerate() {
            row(&format!("bare {stage}"), &|size| size.spread(|round| round.limit.stages[index].1));
        }
        row("sum of the bare stages", &|size| format!("{:.1}", size.median(|round| round.limit.sum_ms)));
        row("in turn, fps", &|size| format!("{:.1}", size.median(|round| round.limit.in_turn_fps)));
        let pipelines = self.sizes.first().and_then(|size| size.rounds.first());
        for (index, (threads, _)) in pipelines.iter().flat_map(|round| round.limit.pipelined_fps.iter().enumerate()) {
            row(&format!("pipelined, {threads} threads a stage, fps"), &|size| {
                format!("{:.1}", size.median(|round| round.limit.pipelined_fps[index].1))
            });
        }
        row("**limit, fps**", &|size| format!("**{:.1}**", size.median(|round| round.limit.fps)));
        for (index, pace) in Pace::ALL.iter().enumerate() {
            let (seen, pace) = (|round: &Round| round.full[index].1["picture"].clone(), pace.name());
            row(&format!("**full, {pace}, fps**"), &|size| {
                format!("**{:.1}**", size.median(|round| number(&seen(round)["fps"])))
            });
            row(&format!("full, {pace} / limit"), &|size| {
                format!("{:.0} %", 100.0 * size.median(|round| number(&seen(round)["fps"]) / round.limit.fps))
            });
            row(&format!("full, {pace}, age"), &|size| size.spread(|round| spread(&seen(round)["age_ms"])));
        }
        let shapes = self.sizes.first().and_then(|size| size.rounds.first());
        for (index, (shape, _)) in shapes.iter().flat_map(|round| round.fused.iter().enumerate()) {
            let seen = |round: &Round| round.fused[index].1["picture"].clone();
            row(&format!("**full, {shape}, fps**"), &|size| {
                format!("**{:.1}**", size.median(|round| number(&seen(round)["fps"])))
            });
            row(&format!("full, {shape} / limit"), &|size| {
                format!("{:.0} %", 100.0 * size.median(|round| number(&seen(round)["fps"]) / round.limit.fps))
            });
            row(&format!("full, {shape}, age"), &|size| size.spread(|round| spread(&seen(round)["age_ms"])));
        }
        row("calm, fps in", &|size| format!("{:.1}", size.median(|round| round.calm_fps)));
        row("calm, fps out", &|size| format!("{:.1}", size.median(|round| number(&round.calm["picture"]["fps"]))));
        let age = |round: &Round| spread(&round.calm["picture"]["age_ms"]);
        row("**age, calm**", &|size| format!("**{}**", size.spread(age)));
        row("**age, calm, fused**", &|size| {
            format!("**{}**", size.spread(|round| spread(&round.fused_calm["picture"]["age_ms"])))
        });
        row("bare stages in turn, at the calm pace", &|size| size.spread(|round| round.bare_calm.picture));
        row("**age, calm, above the bare stages at that pace**", &|size| {
            format!("**{:+.1}**", size.median(|round| age(round).p50 - round.bare_calm.picture.p50))
        });
        row("age, calm, above the sum of the bare stages", &|size| {
            format!("{:+.1}", size.median(|round| age(round).p50 - round.limit.sum_ms))
        });
        for (index, (stage, _)) in shapes.iter().flat_map(|round| round.bare_calm.stages.iter().enumerate()) {
            row(&format!("bare {stage}, at that pace"), &|size| size.spread(|round| round.bare_calm.stages[index].1));
        }
        for stage in ["camera", "encoder", "diffusion", "decoder"] {
            row(&format!("{stage}, calm"), &|size| {
                size.spread(|round| spread(&round.calm["picture"]["stages"][stage]))
            });
        }
        for stage in ["encoder", "diffusion", "decoder"] {
            row(&format!("on the way to {stage}, calm"), &|size| {
                size.spread(|round| spread(&round.calm["picture"]["edges"][stage]))
            });
        }
        row("on the way to the sink, calm", &|size| size.spread(|round| spread(&round.calm["picture"]["hop_ms"])));
        row("memory of the graph, MiB", &|size| format!("{:.0}", size.median(|round| round.memory_mib)));
        let _ = writeln!(text, "\n| hop | bytes | ms | in shared memory |\n|---|---|---|---|");
        for (name, findings) in &self.hops {
            let seen = &findings[name.as_str()];
            let hop = spread(&seen["hop_ms"]);
            let share =
                100.0 * seen["in_shared_memory"].as_f64().unwrap_or(0.0) / seen["count"].as_f64().unwrap_or(1.0);
            let _ = writeln!(text, "| {name} | {} | {:.2} / {:.2} | {share:.0} % |", seen["bytes"], hop.p50, hop.p99);
        }
        text.push_str(&self.whole());
        text
    }

    /// What people see of the whole mirror.
    fn whole(&self) -> String {
        let nodes = self.wholes.first().map_or(0, |whole| whole.nodes);
        let mut text = format!(
            "\n## The whole mirror\n\n\
             `dataflow.yml` as `mirror run` starts it, all {nodes} nodes, on the clip (30 pictures a second), without a window, without a\n\
             microphone and with nobody at the page. *Age* runs from the camera's stamp to the picture's arrival at the page, *memory* is\n\
             that of all nodes (PSS), the start the second one. A new prompt is one that the mirror has not seen before; the page says\n\
             twice a second what is painted.\n\n"
        );
        let mut row = |name: &str, cell: &dyn Fn(&Whole) -> String| {
            let cells: Vec<String> = self.wholes.iter().map(cell).collect();
            let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
        };
        row("", &|whole| format!("{0} × {0}", whole.size));
        row("---", &|_| "---".to_owned());
        row("pictures a second", &|whole| format!("{:.1}", whole.fps));
        row("**age, ms, p50 / p99**", &|whole| format!("**{:.1} / {:.1}**", whole.age_ms.p50, whole.age_ms.p99));
        row("**memory, MiB**", &|whole| format!("**{:.0}**", whole.memory_mib));
        row("**from the start to the first picture, s**", &|whole| format!("**{:.1}**", whole.start_s));
        row("**from a new prompt to its first picture, ms, median (longest)**", &|whole| {
            let mut times = whole.wishes_ms.clone();
            times.sort_by(f64::total_cmp);
            let of = |at: usize| times.get(at).copied().unwrap_or(f64::NAN);
            format!("**{:.0} ({:.0})**", of(times.len() / 2), of(times.len().saturating_sub(1)))
        });
        text
    }
}
