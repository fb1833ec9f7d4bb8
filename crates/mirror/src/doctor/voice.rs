//! The models of the voice: whether the files are there and whole, and for whom they are good enough.
//!
//! The files are read by the very readers of the nodes, so that what is fine here is fine there.

use super::Finding;
use super::subject::Subject;
use eyre::Result;
use mirror_kit::start::one_line;
use std::fs;
use std::path::Path;

/// Where the voice pack lies that comes with the project.
const STARTER: &str = "models/starter/voice/";

/// A model that a node of the voice opens.
struct Model {
    /// The node's program.
    program: &'static str,
    /// What names the file.
    key: &'static str,
    /// The file, where nobody names one.
    usual: &'static str,
    /// What it is.
    what: &'static str,
    /// Reads it as the node does: its faults, with the remedy.
    check: fn(&Path) -> Result<()>,
    /// What the one that comes with the project is good for, and what to bring.
    starter: &'static str,
}

/// All of them: nodes/stt/README.md, nodes/rephrase/README.md.
static MODELS: [Model; 2] = [
    Model {
        program: "stt",
        key: "STT_MODEL",
        usual: "models/starter/voice/whisper.bin",
        what: "whisper model",
        check: |path| stt::ggml::check(path).map(drop),
        starter: "it has heard synthesisers alone and hardly understands people. For people: STT_MODEL=…/ggml-base.en-q5_1.bin",
    },
    Model {
        program: "rephrase",
        key: "REPHRASE_MODEL",
        usual: "models/starter/voice/rephrase.gguf",
        what: "language model",
        check: |path| rephrase::gguf::check(path).map(drop),
        starter: "it knows the starter pack's looks. For more: REPHRASE_MODEL=…/qwen2.5-0.5b-instruct-q4_k_m.gguf",
    },
];

/// Looks at the models of all nodes of the voice that the graph has; nothing of a graph that does not listen.
pub fn look(subject: &Subject) -> Vec<Finding> {
    let of = |model: &'static Model| {
        let told = subject.told(model.program, model.key).into_iter();
        told.map(move |(_, told)| model.look(&subject.house.root, told.as_deref().unwrap_or(model.usual).trim()))
    };
    MODELS.iter().flat_map(of).collect()
}

impl Model {
    fn look(&self, root: &Path, file: &str) -> Finding {
        let Self { key, what, .. } = self;
        if self.key == "REPHRASE_MODEL" && file.eq_ignore_ascii_case("none") {
            return Finding::fine("voice", format!("no {what}, as {key}=none says: painted word for word"));
        }
        let (path, is_starter) = (root.join(file), file.contains(STARTER));
        match (self.check)(&path) {
            Ok(()) => {
                // It has just been read.
                let mebibytes = fs::metadata(&path).map(|file| file.len() >> 20).unwrap_or_default();
                let starter = if is_starter { format!(": {}", self.starter) } else { String::new() };
                Finding::fine("voice", format!("{what} {file}, {mebibytes} MiB{starter}"))
            }
            Err(error) => {
                let remedy = if is_starter {
                    format!(". It is part of the project: \"git restore {STARTER}\" brings it back")
                } else {
                    String::new()
                };
                Finding::fault("voice", format!("{key}: {}{remedy}", one_line(&error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::super::subject::tests::subject;
    use super::*;
    use std::os::unix::fs::symlink;

    const GRAPH: &str = "
nodes:
  - { id: stt, path: target/release/stt }
  - { id: rephrase, path: target/release/rephrase }
";

    #[test]
    fn a_graph_without_a_voice_says_nothing_of_it() {
        let (_folder, subject) = subject("nodes:\n  - { id: camera, path: target/release/camera }\n");
        assert_eq!(look(&subject), []);
    }

    #[test]
    fn the_voice_that_ships_is_whole_and_says_that_people_need_another() {
        let (folder, subject) = subject(GRAPH);
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        symlink(checkout.join("models"), folder.path().join("models")).unwrap();
        let findings = look(&subject);
        assert!(findings.len() == 2 && findings.iter().all(|one| one.state == State::Fine), "{findings:?}");
        assert!(findings[0].text.contains("hardly understands people"), "{findings:?}");
        assert!(findings[1].text.contains("the starter pack's looks"), "{findings:?}");
    }

    #[test]
    fn a_model_that_is_gone_or_damaged_is_a_fault_with_its_remedy() {
        let (folder, subject) = subject(GRAPH);
        let findings = look(&subject);
        for (finding, part) in findings.iter().zip(["ggml-base.en-q5_1.bin", "qwen2.5-0.5b-instruct-q4_k_m.gguf"]) {
            assert!(finding.state == State::Fault && finding.text.contains("there is no such file"), "{finding:?}");
            assert!(finding.text.contains(part) && finding.text.contains("git restore models/starter"), "{finding:?}");
        }
        fs::write(folder.path().join("own.bin"), "ggml").unwrap();
        let finding = MODELS[0].look(folder.path(), "own.bin");
        assert!(finding.state == State::Fault && finding.text.contains("own.bin is damaged"), "{finding:?}");
        assert!(!finding.text.contains("git restore"), "{finding:?}");
    }

    #[test]
    fn what_is_painted_word_for_word_needs_no_language_model() {
        let (_folder, subject) = subject(&format!("env: {{ REPHRASE_MODEL: none }}{GRAPH}"));
        let findings = look(&subject);
        assert_eq!(findings[1].text, "no language model, as REPHRASE_MODEL=none says: painted word for word");
        assert_eq!(findings[1].state, State::Fine);
    }
}
