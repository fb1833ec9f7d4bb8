//! The descriptions of all addresses, and the pages that show them.

use crate::mirror::{LISTENERS, Mirror};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

/// All `$ref`s in a value.
fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                into.insert(target.clone());
            }
            fields.values().for_each(|field| references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

#[test]
fn every_listener_describes_its_addresses_and_they_answer_as_described() {
    let mirror = Mirror::start(&[]);
    for name in LISTENERS {
        let api = mirror.get(name, "/openapi.json", "").json();
        assert!(api["openapi"].as_str().expect("a version").starts_with("3.1"), "{name}");
        assert!(api["info"]["title"].is_string() && api["info"]["version"].is_string());
        let mut targets = BTreeSet::new();
        references(&api, &mut targets);
        for target in targets {
            let path = target.strip_prefix('#').expect("within the document");
            assert!(api.pointer(path).is_some(), "{name}: {target}");
        }
        for (path, methods) in api["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let place = format!("{name} {method} {path}");
                assert!(operation["operationId"].is_string(), "{place}");
                assert!(operation["summary"].is_string() || operation["description"].is_string(), "{place}");
                let responses = operation["responses"].as_object().expect("responses");
                assert!(!responses.is_empty(), "{place}");
                let in_path = path.matches('{').count();
                let empty = Vec::new();
                let parameters = operation["parameters"].as_array().unwrap_or(&empty);
                assert_eq!(parameters.iter().filter(|it| it["in"] == "path").count(), in_path, "{place}");
                // What takes nothing and never ends is left out.
                if method == "get" && in_path == 0 && !path.starts_with("/stream?") && !ENDLESS.contains(&path.as_str())
                {
                    let answer = mirror.get(name, path, "");
                    assert!(responses.contains_key(&answer.status.to_string()), "{place}: {}", answer.status);
                }
            }
        }
    }
}

/// Pictures and events without an end.
const ENDLESS: [&str; 2] = ["/stream", "/events"];

/// A program of the environment that `scripts/setup --tests` makes.
fn tool(name: &str) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.mirror/schemathesis/bin").join(name);
    assert!(path.is_file(), "{name} is not there: run scripts/setup --tests");
    Command::new(path)
}

/// It finds nothing wrong with that listener; if it does, with all that it says.
fn finds_nothing(tool: &mut Command, listener: &str) {
    let Output { status, stdout, stderr } = tool.output().expect("it runs");
    let [stdout, stderr] = [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(status.success(), "{listener}: {stdout}{stderr}");
}

#[test]
fn every_description_is_valid_openapi() {
    let mirror = Mirror::start(&[]);
    let folder = tempfile::tempdir().expect("a directory");
    for name in LISTENERS {
        let file = folder.path().join("openapi.json");
        std::fs::write(&file, mirror.get(name, "/openapi.json", "").body).expect("written");
        finds_nothing(tool("openapi-spec-validator").arg(&file), name);
    }
}

#[test]
fn schemathesis_finds_no_answer_that_is_not_described() {
    let mirror = Mirror::start(&[]);
    for name in LISTENERS {
        let mut schemathesis = tool("schemathesis");
        schemathesis.args(["run", &format!("http://{}/openapi.json", mirror.at(name))]);
        // What has no end is left out; a film would be a process of its own.
        for path in ENDLESS.iter().chain(&["/api/recording"]) {
            schemathesis.args(["--exclude-path", path]);
        }
        // A socket's address wants the request of a socket, which a description of HTTP cannot say.
        schemathesis.args([
            "--exclude-checks",
            "positive_data_acceptance",
            "--max-examples",
            "15",
            "--seed",
            "1",
            "--no-color",
        ]);
        schemathesis.args(["--phases", "examples,coverage,fuzzing", "--request-timeout", "5", "--continue-on-failure"]);
        finds_nothing(schemathesis.current_dir(std::env::temp_dir()), name);
    }
}

#[test]
fn the_pages_that_show_them_load_nothing_from_elsewhere() {
    let mirror = Mirror::start(&[]);
    for name in LISTENERS {
        for (page, files) in [
            ("/docs", ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/swagger.js"]),
            ("/redoc", ["/docs/redoc.standalone.js", "/docs/redoc.js", "/docs/redoc.js"]),
        ] {
            let answer = mirror.get(name, page, "");
            let text = answer.text();
            assert_eq!(answer.status, 200, "{name} {page}");
            assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
            let policy = answer.header("content-security-policy").expect("a policy").to_owned();
            assert!(policy.starts_with("default-src 'self'") && !policy.contains("script-src"), "{policy}");
            for file in files {
                assert!(text.contains(file), "{name} {page} {file}");
                let answer = mirror.get(name, file, "");
                assert_eq!(answer.status, 200, "{name} {file}");
                let packed = answer.header("content-encoding") == Some("gzip");
                assert_eq!(packed, answer.body.starts_with(&[0x1f, 0x8b]), "{name} {file}");
            }
        }
    }
}
