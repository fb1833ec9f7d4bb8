//! The project: programs, dora, ONNX Runtime, packs, the page's address.

use super::subject::Subject;
use super::{Finding, voice};
use crate::contract;
use crate::dora::{self, Dora};
use crate::house::House;
use crate::overrides::Overrides;
use crate::page::Page;
use mirror_kit::start::one_line;
use mirror_models::Pack;
use serde_yaml_ng::Value;
use std::fs;
use std::path::Path;

/// Looks at all of it.
pub fn look(subject: &Subject) -> Vec<Finding> {
    let Subject { house, graph, overrides, fault, .. } = subject;
    let mut findings = vec![Finding::fine("mirror", subject.line())];
    findings.push(match house.check_built() {
        Ok(()) => Finding::fine("programs", house.programs().display().to_string()),
        Err(error) => Finding::fault("programs", one_line(&error)),
    });
    findings.push(edges(house, graph));
    findings.push(match Dora::find(&house.root) {
        Ok(_) => Finding::fine("dora", dora::VERSION),
        Err(error) => Finding::fault("dora", one_line(&error)),
    });
    findings.push(match house.check_models(overrides) {
        Ok(()) => Finding::fine("models", "the pack opens, ONNX Runtime loads"),
        Err(error) => Finding::fault("models", one_line(&error)),
    });
    findings.extend(packs(&house.root.join("models")));
    findings.extend(voice::look(subject));
    findings.push(match fault {
        Some(fault) => Finding::fault("page", fault.as_str()),
        None => page(house, overrides),
    });
    findings.push(state(house, overrides));
    findings
}

/// Whether the dataflow file fits together.
fn edges(house: &House, graph: &Value) -> Finding {
    match contract::faults(&house.root, graph) {
        Ok(faults) if faults.is_empty() => {
            Finding::fine("dataflow", "every edge joins ports that exist, with their types")
        }
        Ok(faults) => Finding::fault("dataflow", faults.join("; ")),
        Err(error) => Finding::fault("dataflow", one_line(&error)),
    }
}

/// The page's address: free, or a mirror is there and says how it is.
fn page(house: &House, overrides: &Overrides) -> Finding {
    let fault = match house.page(overrides) {
        Ok(address) => return Finding::fine("page", format!("http://{address}")),
        Err(error) => one_line(&error),
    };
    let Ok(page) = Page::of_house(house, overrides) else { return Finding::fault("page", fault) };
    let address = page.address().to_owned();
    match (page.figures(), page.nodes()) {
        (Ok(figures), Ok(nodes)) => {
            let gone: Vec<&str> =
                nodes.nodes.iter().filter(|node| node.state == "gone").map(|node| node.id.as_str()).collect();
            if gone.is_empty() && figures.silent_ms.is_some_and(|ms| ms < 5000) {
                Finding::fine("page", format!("a mirror runs on {address}: {}", figures.line()))
            } else {
                let gone = if gone.is_empty() { String::new() } else { format!("; gone: {}", gone.join(", ")) };
                let text =
                    format!("a mirror runs on {address}, and shows nothing new{gone}: mirror top, then dora logs");
                Finding::missing("page", text)
            }
        }
        _ => Finding::fault("page", fault),
    }
}

/// Whether settings can be kept over the end of the mirror.
fn state(house: &House, overrides: &Overrides) -> Finding {
    let file = house.value(overrides, "CONTROL_STATE").filter(|file| !file.is_empty());
    let Some(file) = file else {
        return Finding::fine("settings", "each start is a clean one (CONTROL_STATE is empty)");
    };
    let path = house.root.join(&file);
    let folder = path.parent().unwrap_or(&house.root);
    match fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder)) {
        Ok(_) => Finding::fine("settings", format!("kept in {file}")),
        Err(error) => Finding::missing(
            "settings",
            format!("CONTROL_STATE={file} cannot be written ({error}): settings are lost when the mirror ends"),
        ),
    }
}

/// The packs of a folder: those that open, and those that were meant to be some.
fn packs(folder: &Path) -> Vec<Finding> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = entries.filter(|path| path.join("model_index.json").is_file()).collect();
    folders.sort();
    let finding = |path: &std::path::PathBuf| match Pack::open(path) {
        Ok(pack) => Finding::fine("pack", format!("{} in {}", pack.name, path.display())),
        // Not a fault: the graph may use another one, and "models" says whether that opens.
        Err(error) => Finding::missing("pack", one_line(&error)),
    };
    folders.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::subject::tests::subject;
    use super::*;

    const GRAPH: &str = "
env: { MIRROR_PACK: models/none, WEB_ADDRESS: '127.0.0.1:0' }
nodes:
  - { id: camera, path: target/release/camera }
";

    #[test]
    fn every_fault_of_a_bare_project_has_its_remedy() {
        let (_folder, subject) = subject(GRAPH);
        let findings = look(&subject);
        let of = |about: &str| findings.iter().find(|finding| finding.about == about).unwrap();
        assert!(of("programs").state == State::Fault && of("programs").text.contains("make build"));
        assert!(of("models").state == State::Fault && of("models").text.contains("models/none"));
        assert_eq!(of("page").state, State::Fine);
    }

    #[test]
    fn a_graph_that_does_not_fit_together_and_settings_that_cannot_be_kept_are_named() {
        let edge = "{ id: stt, path: stt, inputs: { utterance: { source: vad/utterance, queue_size: 1 } } }";
        let (folder, subject) = subject(&format!("env: {{ CONTROL_STATE: no/folder/state.json }}\nnodes: [{edge}]"));
        let Subject { house, graph, .. } = subject;
        let finding = edges(&house, &graph);
        assert!(finding.state == State::Fault && finding.text.contains("there is no node vad"), "{finding:?}");
        fs::write(folder.path().join("no"), "a file").unwrap();
        let finding = state(&house, &Overrides::new());
        assert!(finding.state == State::Missing && finding.text.contains("CONTROL_STATE=no/folder"), "{finding:?}");
        fs::remove_file(folder.path().join("no")).unwrap();
        assert_eq!(state(&house, &Overrides::new()).text, "kept in no/folder/state.json");
    }

    #[test]
    fn a_pack_that_does_not_open_is_named_beside_those_that_do() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("broken")).unwrap();
        fs::write(folder.path().join("broken/model_index.json"), "{").unwrap();
        fs::create_dir_all(folder.path().join("train")).unwrap();
        let findings = packs(folder.path());
        assert_eq!(findings.len(), 1);
        assert!(findings[0].state == State::Missing && findings[0].text.contains("broken"), "{findings:?}");
    }
}
