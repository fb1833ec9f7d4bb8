//! What the command line says, as environment of the nodes: `dora start --env`.

use eyre::{Result, bail, eyre};
use mirror_contract::Settings;
use mirror_contract::parameters::{PARAMETERS, parameter};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Keys of the nodes and their values, over those of the dataflow file.
pub type Overrides = BTreeMap<String, String>;

/// A camera's source as nodes understand it, wherever they are started: a camera's number becomes its device, and the
/// path of a file that is seen from `here` becomes whole.
///
/// # Errors
/// An empty source.
pub fn source(text: &str, here: &Path) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        bail!("the source is empty: name a camera (0, /dev/video2), a file, a folder, an address or \"pattern\"");
    }
    // dora would take a bare number for a number, not for a text.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(format!("/dev/video{text}"));
    }
    if text != "auto" && text != "pattern" && !text.contains("://") {
        return absolute(text, here);
    }
    Ok(text.to_owned())
}

/// A microphone's source as nodes understand it, wherever they are started: the path of a recording that is seen from `here`
/// becomes whole.
///
/// # Errors
/// An empty source; a path that is not Unicode.
pub fn microphone(text: &str, here: &Path) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        bail!("the microphone is empty: name one, a .wav file, a folder of them, default, auto or none");
    }
    let lower = text.to_lowercase();
    if ["auto", "default", "none"].contains(&lower.as_str()) {
        return Ok(lower);
    }
    // As nodes/microphone tells them apart: names of ALSA's devices have no slash. What is not there it names with the remedy.
    let is_file = text.contains('/') || lower.ends_with(".wav") || lower.ends_with(".wave") || here.join(text).exists();
    if is_file { absolute(text, here) } else { Ok(text.to_owned()) }
}

/// A path seen from `here`, whole, so that it means the same in the project's root. It need not exist: the node that
/// opens it has the better words for what is wrong with it.
///
/// # Errors
/// A path that is not Unicode.
pub fn absolute(text: &str, here: &Path) -> Result<String> {
    let path = here.join(text);
    path.to_str().map(str::to_owned).ok_or_else(|| eyre!("{} is not Unicode", path.display()))
}

/// Settings to start with: those of the dataflow file (`base`, JSON), then those of the command line.
///
/// # Errors
/// A setting that the parameter table does not have, or a value that it does not allow: the error says the range.
pub fn settings(base: &str, changes: &[(&str, Value)]) -> Result<String> {
    let base = if base.trim().is_empty() { "{}" } else { base };
    let mut values: Map<String, Value> = serde_json::from_str(base)
        .map_err(|error| eyre!("CONTROL_SETTINGS={base:?} in the dataflow file is not a JSON object: {error}"))?;
    let mut checked = Settings::default();
    for (name, value) in changes {
        checked.set(name, value)?;
        values.insert((*name).to_owned(), value.clone());
    }
    // dora refuses a literal dollar; JSON has another way to write it.
    Ok(Value::Object(values).to_string().replace('$', "\\u0024"))
}

/// `strength=0.6` as a setting and its value.
///
/// # Errors
/// No `=`, an unknown name, a value of another type: the error says what there is.
pub fn setting(text: &str) -> Result<(&'static str, Value)> {
    let (name, value) = text.split_once('=').ok_or_else(|| eyre!("\"{text}\" is not name=value, like strength=0.6"))?;
    let known = || PARAMETERS.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
    let parameter = parameter(name.trim())
        .ok_or_else(|| eyre!("there is no setting \"{}\"; there are {}", name.trim(), known()))?;
    let value = parameter.parse(value).map_err(|range| eyre!("{} must be {range}, not \"{value}\"", parameter.name))?;
    Ok((parameter.name, value))
}

/// `WEB_ADDRESS=127.0.0.1:8090` as a key and its value.
///
/// # Errors
/// No `=`.
pub fn key(text: &str) -> Result<(String, String)> {
    let (key, value) = text.split_once('=').ok_or_else(|| eyre!("\"{text}\" is not KEY=value"))?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// The `--env` arguments of dora.
///
/// # Errors
/// A value with a dollar sign, which dora does not pass on.
pub fn arguments(overrides: &Overrides) -> Result<Vec<String>> {
    let mut arguments = Vec::new();
    for (key, value) in overrides {
        if value.contains('$') {
            bail!("{key}=\"{value}\" has a dollar sign in it, which dora does not pass on: choose another name");
        }
        arguments.extend(["--env".to_owned(), format!("{key}={value}")]);
    }
    Ok(arguments)
}

/// Prompts out of `a pencil drawing; neon lights`.
///
/// # Errors
/// No prompt in it.
pub fn prompts(text: &str) -> Result<Vec<String>> {
    let prompts: Vec<String> =
        text.split(';').map(str::trim).filter(|prompt| !prompt.is_empty()).map(str::to_owned).collect();
    if prompts.is_empty() {
        bail!("there is no prompt in \"{text}\": write them with semicolons between, \"a pencil drawing;neon lights\"");
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(text: &str) -> String {
        source(text, Path::new("/home/me")).unwrap()
    }

    #[test]
    fn the_number_of_a_camera_becomes_its_device() {
        assert_eq!(of("0"), "/dev/video0");
        assert_eq!(of(" 12 "), "/dev/video12");
    }

    #[test]
    fn a_path_becomes_whole_and_all_else_stays() {
        assert_eq!(of("films/clip.mp4"), "/home/me/films/clip.mp4");
        assert_eq!(of("/dev/video2"), "/dev/video2");
        for text in ["auto", "pattern", "rtsp://camera/1", "http://camera/mjpeg"] {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn an_empty_source_is_refused() {
        assert!(source("  ", Path::new("/")).unwrap_err().to_string().starts_with("the source is empty"));
        assert!(microphone("", Path::new("/")).unwrap_err().to_string().starts_with("the microphone is empty"));
    }

    #[test]
    fn a_recording_becomes_whole_and_a_microphones_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("speech")).unwrap();
        let of = |text: &str| microphone(text, folder.path()).unwrap();
        for text in ["spoken.wav", "said/spoken.WAV", "speech", "said/"] {
            assert_eq!(of(text), folder.path().join(text).to_str().unwrap(), "{text}");
        }
        for text in ["auto", "default", "none", "USB webcam", "hw:CARD=1,DEV=0"] {
            assert_eq!(of(text), text);
        }
        assert_eq!((of(" None ").as_str(), of("/speech/a.wav").as_str()), ("none", "/speech/a.wav"));
    }

    #[test]
    fn settings_of_the_command_line_come_over_those_of_the_file() {
        let text = settings(r#"{"size": 512, "seed": 7}"#, &[("size", json!(256)), ("prompt", json!("neon"))]).unwrap();
        let values: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(values, json!({"size": 256, "seed": 7, "prompt": "neon"}));
    }

    #[test]
    fn a_dollar_in_a_prompt_survives_dora() {
        let text = settings("", &[("prompt", json!("a $5 note"))]).unwrap();
        assert!(!text.contains('$'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"prompt": "a $5 note"}));
    }

    #[test]
    fn a_dollar_elsewhere_is_refused_by_name() {
        let overrides = Overrides::from([("CAMERA_SOURCE".to_owned(), "/films/$5.mp4".to_owned())]);
        let error = arguments(&overrides).unwrap_err().to_string();
        assert!(error.starts_with("CAMERA_SOURCE=\"/films/$5.mp4\" has a dollar sign"), "{error}");
    }

    #[test]
    fn a_size_out_of_range_is_refused_with_its_range() {
        let error = settings("{}", &[("size", json!(100))]).unwrap_err().to_string();
        assert_eq!(error, "size must be a whole number from 128 to 1024 in steps of 64, not 100");
    }

    #[test]
    fn a_setting_is_a_name_and_a_value_of_its_type() {
        assert_eq!(setting("strength=0.6").unwrap(), ("strength", json!(0.6)));
        assert_eq!(setting("mirror=off").unwrap(), ("mirror", json!(false)));
        assert_eq!(setting("prompt=a=b").unwrap(), ("prompt", json!("a=b")));
    }

    #[test]
    fn a_setting_that_is_none_says_what_there_is() {
        let message = |text| setting(text).unwrap_err().to_string();
        assert_eq!(message("strength"), "\"strength\" is not name=value, like strength=0.6");
        assert!(message("force=1").starts_with("there is no setting \"force\"; there are prompt, "));
        assert_eq!(message("steps=many"), "steps must be a whole number from 1 to 50, not \"many\"");
    }

    #[test]
    fn prompts_are_split_at_semicolons() {
        assert_eq!(prompts("a pencil drawing; neon lights;;").unwrap(), ["a pencil drawing", "neon lights"]);
        assert!(prompts(" ; ").unwrap_err().to_string().starts_with("there is no prompt"));
    }
}
