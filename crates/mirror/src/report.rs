//! What the recorder reports: its lines while it records, its `report.json` in the end.

use serde_json::Value;
use std::fmt::Write;

/// How many seconds are recorded, out of the recorder's line `second 7 of 20, 210 pictures, "neon lights"`.
#[must_use]
pub fn progress(line: &str) -> Option<u64> {
    let (_, after) = line.split_once("second ")?;
    let number: String = after.chars().take_while(char::is_ascii_digit).collect();
    number.parse().ok()
}

/// How many pictures were shown.
#[must_use]
pub fn displayed(report: &Value) -> u64 {
    report["frames"]["displayed"].as_u64().unwrap_or(0)
}

/// The last thing that a node warned of, as the end of a sentence: `; camera: a.mp4 is no film`. Empty if none did.
#[must_use]
pub fn trouble(report: &Value) -> String {
    let mut notices = report["notices"].as_array().into_iter().flatten().rev();
    let warning = notices.find(|notice| notice["level"] == "warning" || notice["level"] == "error");
    let text = |key| warning.and_then(|notice| notice[key].as_str()).unwrap_or_default();
    warning.map_or_else(String::new, |_| format!("; {}: {}", text("origin"), text("text")))
}

/// The figures for people. What the report does not have is left out.
#[must_use]
pub fn table(report: &Value) -> String {
    let mut text = String::new();
    let number = |value: &Value| value.as_f64().map_or_else(|| "–".to_owned(), |number| format!("{number:.1}"));
    let count = |key: &str| report["frames"][key].as_u64().map_or_else(|| "–".to_owned(), |count| count.to_string());
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "\nframes   {} captured, {} displayed, {} dropped",
        count("captured"),
        count("displayed"),
        count("dropped")
    );
    let _ = writeln!(text, "fps      {}", number(&report["fps"]));
    let _ = writeln!(
        text,
        "age      {} ms p50, {} ms p99",
        number(&report["age_ms"]["p50"]),
        number(&report["age_ms"]["p99"])
    );
    for stage in report["stages"].as_array().into_iter().flatten() {
        let (name, ms) = (stage["stage"].as_str().unwrap_or("–"), &stage["ms"]);
        let _ = writeln!(text, "  {name:<10} {:>6} ms p50 {:>6} ms p99", number(&ms["p50"]), number(&ms["p99"]));
    }
    let pack = [&report["pack"], &report["provider"]].map(|value| value.as_str().unwrap_or("–"));
    let _ = writeln!(text, "pack     {} on {}", pack[0], pack[1]);
    for prompt in report["prompts"].as_array().into_iter().flatten() {
        let (given, shown) = (number(&prompt["given_s"]), number(&prompt["shown_s"]));
        let _ = writeln!(
            text,
            "  given at {given:>5} s, shown at {shown:>5} s  \"{}\"",
            prompt["prompt"].as_str().unwrap_or("")
        );
        let spoken = &prompt["spoken"];
        if spoken.is_object() {
            let heard = spoken["heard"].as_str().unwrap_or("–");
            let _ = write!(
                text,
                "    heard \"{heard}\", shown {} ms after its last word:",
                number(&spoken["shown_after_ms"])
            );
            for stage in spoken["stages"].as_array().into_iter().flatten() {
                let _ = write!(text, " {} {} ms", stage["stage"].as_str().unwrap_or("–"), number(&stage["ms"]));
            }
            text.push('\n');
        }
    }
    let spoken = &report["spoken_to_shown_ms"];
    if spoken.is_object() {
        let _ = writeln!(
            text,
            "spoken   {} ms p50, {} ms p99 to the first picture",
            number(&spoken["p50"]),
            number(&spoken["p99"])
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_recorders_line_says_how_far_it_is() {
        assert_eq!(progress(" INFO second 7 of 20, 210 pictures, \"neon lights\""), Some(7));
        assert_eq!(progress(" INFO recorder: ready"), None);
    }

    #[test]
    fn a_report_becomes_a_table() {
        let report = json!({
            "frames": {"captured": 600, "displayed": 590, "dropped": 10}, "fps": 29.46, "age_ms": {"p50": 41.2, "p99": 63.0},
            "stages": [{"stage": "encoder", "ms": {"p50": 4.0, "p99": 6.5}}], "pack": "starter", "provider": "CPU",
            "prompts": [{"prompt": "neon lights", "given_s": 10.0, "shown_s": 10.24, "spoken": {
                "heard": "make it neon", "said_s": 9.3, "shown_after_ms": 940.0, "stages": [{"stage": "vad", "ms": 310.0}],
            }}],
            "spoken_to_shown_ms": {"p50": 940.0, "p99": 940.0},
        });
        let table = table(&report);
        for part in [
            "600 captured, 590 displayed, 10 dropped",
            "29.5",
            "41.2 ms p50",
            "encoder",
            "starter on CPU",
            "10.2",
            "heard \"make it neon\"",
            "vad 310",
        ] {
            assert!(table.contains(part), "{part} in {table}");
        }
        assert_eq!(displayed(&report), 590);
    }

    #[test]
    fn a_report_with_nothing_in_it_is_no_panic() {
        assert!(table(&Value::Null).contains("– captured"));
        assert_eq!(displayed(&Value::Null), 0);
    }
}
