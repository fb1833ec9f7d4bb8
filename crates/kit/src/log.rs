//! Lines of the log as the dora daemon reads them: JSON with time, level, message and fields, one a line.

use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Who speaks, beside dora's own `spawner` and `daemon` in `dora logs`.
pub const TARGET: &str = "node";

/// Writes an event as dora's daemon takes it apart (`LogMessageHelper` in dora-message 1.1.0).
#[derive(Debug, Clone, Copy)]
pub struct Structured;

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.fields.insert(field.name(), value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl<S, N> FormatEvent<S, N> for Structured
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (mut said, about) = (Said::default(), event.metadata());
        event.record(&mut said);
        said.fields.insert("module", about.target().to_owned());
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let level = about.level().as_str().to_ascii_lowercase();
        let line = json!({
            "timestamp": time, "level": level, "target": TARGET, "message": said.message, "fields": said.fields,
        });
        writeln!(writer, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_line_has_its_time_its_level_and_its_fields_and_stays_one_line() {
        let kept = Kept::default();
        let log = tracing_subscriber::fmt().event_format(Structured).with_writer(kept.clone()).finish();
        tracing::subscriber::with_default(log, || {
            tracing::warn!(port = "frame", count = 3, "refused: {}", "two\nlines \"quoted\"");
            tracing::info!("ready");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        let line = &lines[0];
        assert_eq!((&line["level"], &line["message"]), (&json!("warn"), &json!("refused: two\nlines \"quoted\"")));
        let fields = json!({"count": "3", "module": module_path!(), "port": "frame"});
        assert_eq!((&line["fields"], &line["target"]), (&fields, &json!("node")));
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.starts_with("20") && time.contains('T') && time.ends_with('Z'), "{time}");
    }
}
