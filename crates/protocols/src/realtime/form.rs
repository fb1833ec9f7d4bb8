//! The form of all settings, as its clients build it, and the queue.

use super::session::Mode;
use mirror_contract::Settings;
use mirror_contract::parameters::{Kind, PARAMETERS, Parameter};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// How many visitors are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Queue {
    /// Open sockets.
    pub queue_size: usize,
}

/// `GET /api/settings`. Clients read the values out of the schemas' defaults.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Form {
    /// JSON schema whose properties' defaults are name, title, description, input mode and page content.
    #[schema(value_type = Object)]
    pub info: Value,
    /// JSON schema of the parameters: one property each, with default, range and kind of field.
    #[schema(value_type = Object)]
    pub input_params: Value,
    /// How many may be connected at once; 0: any number.
    pub max_queue_size: usize,
    /// A text for the page, HTML.
    pub page_content: String,
}

/// What the form shows.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The values that a client begins with.
    pub settings: &'a Settings,
    /// The choices of the setting `processor`; empty: any text.
    pub processors: &'a [String],
    /// What a client sends beside its parameters.
    pub mode: Mode,
    /// How many may be connected at once; 0: any number.
    pub max_queue_size: usize,
}

impl Form {
    /// The form of the parameter table.
    #[must_use]
    pub fn of(shown: &Shown) -> Self {
        let page_content = "<p>Your camera's picture goes in, a painted one comes out.</p>".to_owned();
        let info = [
            ("name", "mirror"),
            ("title", "Mirror"),
            ("description", "A real-time mirror that paints what it sees."),
            ("input_mode", shown.mode.name()),
            ("page_content", &page_content),
        ];
        let info: Map<String, Value> = info
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!({"default": value, "title": title(name), "type": "string"})))
            .collect();
        let values = shown.settings.values();
        let mut rows: Map<String, Value> = PARAMETERS
            .iter()
            .map(|parameter| (parameter.name.to_owned(), row(parameter, &values, shown.processors)))
            .collect();
        // Their page crops the camera's picture to these; the side itself is the setting `size`.
        for name in ["width", "height"] {
            let (min, max) = sides();
            let side = json!({"default": shown.settings.size, "title": title(name), "id": name, "type": "integer",
                "field": "range", "min": min, "max": max, "step": 64, "disabled": true, "hide": true});
            rows.insert(name.to_owned(), side);
        }
        Self {
            info: json!({"title": "Info", "type": "object", "properties": info}),
            input_params: json!({"title": "InputParams", "type": "object", "properties": rows}),
            max_queue_size: shown.max_queue_size,
            page_content,
        }
    }
}

fn sides() -> (i64, i64) {
    let size = PARAMETERS.iter().find_map(|parameter| match parameter.kind {
        Kind::Integer { min, max, .. } if parameter.name == "size" => Some((min, max)),
        _ => None,
    });
    size.unwrap_or((0, i64::MAX))
}

/// `guidance_scale` → `Guidance Scale`.
fn title(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
    });
    words.collect::<Vec<_>>().join(" ")
}

fn row(parameter: &Parameter, values: &Map<String, Value>, processors: &[String]) -> Value {
    let name = parameter.name;
    let (field, kind) = match parameter.kind {
        Kind::Text { .. } if name == "processor" && !processors.is_empty() => ("select", "string"),
        Kind::Text { .. } => ("textarea", "string"),
        Kind::Integer { .. } if name == "seed" => ("seed", "integer"),
        Kind::Integer { .. } => ("range", "integer"),
        Kind::Number { .. } => ("range", "number"),
        Kind::Switch { .. } => ("checkbox", "boolean"),
    };
    let default = values.get(name).cloned().unwrap_or_else(|| parameter.default());
    let mut row = json!({"default": default, "title": title(name), "id": name, "field": field, "type": kind,
        "description": parameter.text});
    match parameter.kind {
        Kind::Integer { min, max, step, .. } => {
            (row["min"], row["max"], row["step"]) = (min.into(), max.into(), step.into());
        }
        // Their own forms have this step for everything that is not whole.
        Kind::Number { min, max, .. } => (row["min"], row["max"], row["step"]) = (min.into(), max.into(), json!(0.001)),
        Kind::Text { .. } | Kind::Switch { .. } => {}
    }
    if field == "select" {
        row["values"] = json!(processors);
    }
    if name != "prompt" && name != "negative_prompt" {
        row["hide"] = json!(!matches!(name, "seed" | "steps" | "strength" | "guidance_scale" | "processor"));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(mode: Mode) -> Value {
        let settings = Settings { prompt: "neon".to_owned(), ..Settings::default() };
        let processors = ["turbo".to_owned(), "fine".to_owned()];
        json!(Form::of(&Shown { settings: &settings, processors: &processors, mode, max_queue_size: 4 }))
    }

    #[test]
    fn values_sit_in_the_defaults_of_schemas() {
        let form = form(Mode::Image);
        assert_eq!(form["info"]["properties"]["input_mode"]["default"], "image");
        assert_eq!(form["input_params"]["properties"]["prompt"]["default"], "neon");
        assert_eq!(form["max_queue_size"], 4);
        assert_eq!(form["page_content"], form["info"]["properties"]["page_content"]["default"]);
        assert_eq!(
            super::Form::of(&Shown {
                settings: &Settings::default(),
                processors: &[],
                mode: Mode::Text,
                max_queue_size: 0
            })
            .info["properties"]["input_mode"]["default"],
            "text"
        );
    }

    #[test]
    fn every_parameter_has_a_field_of_its_kind() {
        let form = form(Mode::Image);
        let rows = form["input_params"]["properties"].as_object().expect("an object");
        assert_eq!(rows.len(), PARAMETERS.len() + 2);
        for (name, row) in rows {
            assert_eq!(row["id"], *name);
            assert!(!row["default"].is_null() && !row["title"].is_null() && !row["type"].is_null(), "{row}");
        }
        assert_eq!((&rows["seed"]["field"], &rows["prompt"]["field"]), (&json!("seed"), &json!("textarea")));
        assert_eq!((&rows["strength"]["step"], &rows["strength"]["max"]), (&json!(0.001), &json!(1.0)));
        assert_eq!(
            (&rows["processor"]["field"], &rows["processor"]["values"]),
            (&json!("select"), &json!(["turbo", "fine"]))
        );
        assert_eq!((&rows["mirror"]["field"], &rows["mirror"]["type"]), (&json!("checkbox"), &json!("boolean")));
        assert_eq!((&rows["width"]["default"], &rows["width"]["disabled"]), (&json!(512), &json!(true)));
        assert_eq!(rows["guidance_scale"]["title"], "Guidance Scale");
    }
}
