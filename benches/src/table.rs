//! The results as people read them.

use crate::limit::Limit;
use mirror_kit::figures::Spread;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// One size, limit and dataflow side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    /// Side of the picture.
    pub size: usize,
    /// The bare models.
    pub limit: Limit,
    /// The dataflow with more pictures coming than it can paint: the probe's findings.
    pub full: Value,
    /// The same with the stages overlapped.
    pub overlapped: Value,
    /// The dataflow with fewer pictures coming than it can paint.
    pub calm: Value,
    /// Pictures a second that came in the calm run.
    pub calm_fps: f64,
    /// Memory of the whole graph, in MiB.
    pub memory_mib: f64,
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
}

fn spread(value: &Value) -> Spread {
    let of = |key: &str| value[key].as_f64().unwrap_or(f64::NAN);
    Spread { p50: of("p50"), p99: of("p99") }
}

fn both(spread: Spread) -> String {
    format!("{:.1} / {:.1}", spread.p50, spread.p99)
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
        let _ = writeln!(
            text,
            "`make bench` writes this file. The *limit* is the pack's bare ONNX Runtime sessions in one process without a dataflow:"
        );
        let _ = writeln!(
            text,
            "one after another on all cores, or pipelined over a thread a stage, whichever is faster. *Full* sends a quarter more pictures than can be"
        );
        let _ = writeln!(
            text,
            "painted: with one picture under way at a time as in dataflow.yml (*least delay*), or with the stages *overlapped*. *Calm* sends six tenths of the limit. *Age* runs from the camera's stamp to the picture's arrival at its sink.\n"
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
            row(&format!("bare {stage}"), &|size| both(size.limit.stages[index].1));
        }
        row("sum of the bare stages", &|size| format!("{:.1}", size.limit.sum_ms));
        row("in turn, fps", &|size| format!("{:.1}", size.limit.in_turn_fps));
        row("pipelined, fps (threads a stage)", &|size| {
            let list: Vec<String> =
                size.limit.pipelined_fps.iter().map(|(threads, fps)| format!("{fps:.1} ({threads})")).collect();
            list.join(", ")
        });
        row("**limit, fps**", &|size| format!("**{:.1}**", size.limit.fps));
        for way in ["least delay", "overlapped"] {
            let seen = |size: &Size| match way {
                "overlapped" => size.overlapped["picture"].clone(),
                _ => size.full["picture"].clone(),
            };
            let fps = |size: &Size| seen(size)["fps"].as_f64().unwrap_or(f64::NAN);
            row(&format!("**full, {way}, fps**"), &|size| format!("**{:.1}**", fps(size)));
            row(&format!("full, {way} / limit"), &|size| format!("{:.0} %", 100.0 * fps(size) / size.limit.fps));
            row(&format!("full, {way}, age"), &|size| both(spread(&seen(size)["age_ms"])));
        }
        row("calm, fps in", &|size| format!("{:.1}", size.calm_fps));
        row("calm, fps out", &|size| format!("{:.1}", size.calm["picture"]["fps"].as_f64().unwrap_or(f64::NAN)));
        row("**age, calm**", &|size| format!("**{}**", both(spread(&size.calm["picture"]["age_ms"]))));
        row("age, calm, above the bare stages", &|size| {
            format!("{:+.1}", spread(&size.calm["picture"]["age_ms"]).p50 - size.limit.sum_ms)
        });
        for stage in ["camera", "encoder", "diffusion", "decoder"] {
            row(&format!("{stage}, calm"), &|size| both(spread(&size.calm["picture"]["stages"][stage])));
        }
        row("memory of the graph, MiB", &|size| format!("{:.0}", size.memory_mib));
        let _ = writeln!(text, "\n| hop | bytes | ms | in shared memory |\n|---|---|---|---|");
        for (name, findings) in &self.hops {
            let seen = &findings[name.as_str()];
            let hop = spread(&seen["hop_ms"]);
            let share =
                100.0 * seen["in_shared_memory"].as_f64().unwrap_or(0.0) / seen["count"].as_f64().unwrap_or(1.0);
            let _ = writeln!(text, "| {name} | {} | {:.2} / {:.2} | {share:.0} % |", seen["bytes"], hop.p50, hop.p99);
        }
        text
    }
}
