//! One wish in, one verdict out: policy, memory, model, deadline.

use crate::answer::{Answer, Model, clean};
use crate::config::Config;
use crate::policy::Policy;
use crate::system::Instructions;
use eyre::Report;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// What becomes of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is painted so.
    Paint(String),
    /// It is painted word for word: why, for people.
    AsSaid(String, String),
    /// The picture stays as it is, because of the policy: why, for people.
    Refused(String),
    /// The picture stays as it is: nobody asked for another.
    Nothing,
}

/// The answer to what asks for no picture (`system.txt`).
const NOTHING: &str = "none";
/// The answer to what is not for everybody (`system.txt`).
const REFUSED: &str = "refused";

/// Answers wishes.
pub struct Rephraser<M> {
    model: Option<M>,
    instructions: Instructions,
    policy: Policy,
    deadline: Duration,
    memory: Memory,
}

impl<M: Model> Rephraser<M> {
    /// With that model, as configured. The same wish gets the same answer only if the model always takes the likeliest
    /// word: otherwise nothing is remembered.
    #[must_use]
    pub fn new(config: Config, model: Option<M>) -> Self {
        let most = if config.temperature > 0.0 { 0 } else { config.cache };
        let Config { instructions, policy, deadline, .. } = config;
        Self { model, instructions, policy, deadline, memory: Memory { most, ..Memory::default() } }
    }

    /// Reads the instructions again if they have changed, and lets the model read them ahead.
    ///
    /// # Errors
    /// They cannot be used, or do not fit into the model: what was in force stays so.
    pub fn refresh(&mut self) -> Result<bool, Report> {
        let changed = self.instructions.refresh()?;
        if changed {
            self.memory.clear();
            if let Some(model) = &mut self.model {
                model.prepare(self.instructions.text())?;
            }
        }
        Ok(changed)
    }

    /// What becomes of what somebody said.
    pub fn wish(&mut self, said: &str) -> Verdict {
        let said = said.trim();
        if let Some(phrase) = self.policy.refuses(said) {
            return Verdict::Refused(format!("\"{phrase}\" is not painted here: the picture stays as it is"));
        }
        let Some(model) = &mut self.model else { return Verdict::Paint(said.to_owned()) };
        let key = said.to_lowercase();
        if let Some(verdict) = self.memory.get(&key) {
            return verdict.clone();
        }
        let as_said = |why: String| Verdict::AsSaid(said.to_owned(), why);
        let answer = match model.answer(self.instructions.text(), said, Instant::now() + self.deadline) {
            Ok(Answer::Words(answer)) => clean(&answer),
            Ok(Answer::Late) => {
                return as_said(format!(
                    "the model took longer than {} ms: painting the words as they were said",
                    self.deadline.as_millis()
                ));
            }
            Err(error) => return as_said(format!("{error:#}: painting the words as they were said")),
        };
        let Some(answer) = answer else {
            return as_said("the model had no answer: painting the words as they were said".to_owned());
        };
        let verdict = match answer.trim_end_matches('.').to_lowercase().as_str() {
            NOTHING => Verdict::Nothing,
            REFUSED if self.policy.is_off() => {
                return as_said("the model refuses it, REPHRASE_POLICY=off does not".to_owned());
            }
            REFUSED => Verdict::Refused("that is not painted here: the picture stays as it is".to_owned()),
            _ => Verdict::Paint(answer.clone()),
        };
        // The model can say what nobody asked for.
        if let Some(phrase) = self.policy.refuses(&answer) {
            return as_said(format!("the model's answer had \"{phrase}\" in it: painting the words as they were said"));
        }
        self.memory.keep(key, verdict.clone());
        verdict
    }
}

/// The last answers.
#[derive(Debug, Default)]
struct Memory {
    most: usize,
    answers: HashMap<String, Verdict>,
    order: VecDeque<String>,
}

impl Memory {
    fn get(&self, said: &str) -> Option<&Verdict> {
        self.answers.get(said)
    }

    fn keep(&mut self, said: String, answer: Verdict) {
        if self.most == 0 {
            return;
        }
        if self.order.len() == self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        self.order.push_back(said.clone());
        self.answers.insert(said, answer);
    }

    fn clear(&mut self) {
        self.answers.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;
    use eyre::{Result, bail};
    use mirror_kit::Environment;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    /// Answers with what was said and how often it was asked; does what the words say.
    #[derive(Default)]
    struct Parrot(u32);

    impl Model for Parrot {
        fn text(&self) -> String {
            "parrot".to_owned()
        }

        fn answer(&mut self, instructions: &str, said: &str, until: Instant) -> Result<Answer> {
            self.0 += 1;
            assert!(until > Instant::now());
            Ok(match said {
                "late" => Answer::Late,
                "broken" => bail!("no memory"),
                "silent" => Answer::Words(" \"\" ".to_owned()),
                "evil" => Answer::Words("a naked man".to_owned()),
                "good morning" => Answer::Words("None.".to_owned()),
                "hurt somebody" => Answer::Words("refused".to_owned()),
                said => Answer::Words(format!("\"{instructions} {said} {}\"", self.0)),
            })
        }

        fn prepare(&mut self, _: &str) -> Result<()> {
            Ok(())
        }
    }

    fn rephraser(folder: &Path, pairs: &[(&str, &str)]) -> Rephraser<Parrot> {
        let system = folder.join("system.txt");
        fs::write(&system, "paint").expect("it can be written");
        let system = system.to_string_lossy().into_owned();
        let own = [("REPHRASE_SYSTEM", system.as_str()), ("REPHRASE_REFUSED", "refused.txt"), ("REPHRASE_CACHE", "2")];
        let pairs = own.iter().chain(pairs).copied();
        let config =
            Environment::given(KEYS, pairs).and_then(|environment| Config::of(&environment)).expect("it is right");
        let model = config.model.is_some().then(Parrot::default);
        Rephraser::new(config, model)
    }

    fn paint(text: &str) -> Verdict {
        Verdict::Paint(text.to_owned())
    }

    #[test]
    fn a_wish_is_answered_and_the_answer_is_remembered_for_a_while() {
        let folder = TempDir::new().expect("a folder");
        let mut rephraser = rephraser(folder.path(), &[]);
        assert_eq!(rephraser.wish(" Neon "), paint("paint Neon 1"));
        assert_eq!(rephraser.wish("neon"), paint("paint Neon 1"));
        assert_eq!(rephraser.wish("gold"), paint("paint gold 2"));
        assert_eq!(rephraser.wish("ice"), paint("paint ice 3"));
        // Two are remembered.
        assert_eq!(rephraser.wish("neon"), paint("paint neon 4"));
    }

    #[test]
    fn what_the_model_cannot_do_is_painted_word_for_word_and_said() {
        let folder = TempDir::new().expect("a folder");
        let mut rephraser = rephraser(folder.path(), &[]);
        for (said, why) in [
            ("late", "the model took longer than 800 ms"),
            ("broken", "no memory"),
            ("silent", "the model had no answer"),
            ("evil", "the model's answer had \"naked\" in it"),
        ] {
            let Verdict::AsSaid(text, reason) = rephraser.wish(said) else { panic!("{said}") };
            assert_eq!(text, said);
            assert!(reason.starts_with(why) && reason.ends_with("painting the words as they were said"), "{reason}");
        }
        assert_eq!(rephraser.model.as_ref().map(|model| model.0), Some(4));
        rephraser.wish("late");
        assert_eq!(rephraser.model.as_ref().map(|model| model.0), Some(5), "what failed is not remembered");
    }

    #[test]
    fn what_is_refused_is_not_asked_and_leaves_the_picture() {
        let folder = TempDir::new().expect("a folder");
        let mut rephraser = rephraser(folder.path(), &[]);
        let refused = Verdict::Refused("\"nude\" is not painted here: the picture stays as it is".to_owned());
        assert_eq!(rephraser.wish("paint me nude"), refused);
        assert_eq!(rephraser.model.as_ref().map(|model| model.0), Some(0));
    }

    #[test]
    fn the_model_can_say_that_nobody_asked_for_a_picture_or_that_it_is_not_for_everybody() {
        let folder = TempDir::new().expect("a folder");
        let mut family = rephraser(folder.path(), &[]);
        assert_eq!(family.wish("good morning"), Verdict::Nothing);
        assert_eq!(family.wish("Good morning"), Verdict::Nothing);
        assert!(matches!(family.wish("hurt somebody"), Verdict::Refused(why) if why.ends_with("stays as it is")));
        assert_eq!(family.model.as_ref().map(|model| model.0), Some(2), "the second time it is remembered");
        let mut off = rephraser(folder.path(), &[("REPHRASE_POLICY", "off")]);
        assert!(matches!(off.wish("hurt somebody"), Verdict::AsSaid(text, _) if text == "hurt somebody"));
    }

    #[test]
    fn without_a_model_the_words_are_painted_and_the_policy_holds() {
        let folder = TempDir::new().expect("a folder");
        let mut rephraser = rephraser(folder.path(), &[("REPHRASE_MODEL", "none")]);
        assert_eq!(rephraser.wish(" neon lights"), paint("neon lights"));
        assert!(matches!(rephraser.wish("naked"), Verdict::Refused(_)));
    }

    #[test]
    fn new_instructions_count_at_once_and_forget_the_old_answers() {
        let folder = TempDir::new().expect("a folder");
        let mut rephraser = rephraser(folder.path(), &[]);
        assert_eq!(rephraser.wish("neon"), paint("paint neon 1"));
        fs::write(folder.path().join("system.txt"), "draw it").expect("it can be written");
        assert!(matches!(rephraser.refresh(), Ok(true)));
        assert_eq!(rephraser.wish("neon"), paint("draw it neon 2"));
    }

    #[test]
    fn a_model_that_is_to_vary_is_asked_every_time() {
        let folder = TempDir::new().expect("a folder");
        let mut rephraser = rephraser(folder.path(), &[("REPHRASE_TEMPERATURE", "0.8")]);
        assert_eq!(rephraser.wish("neon"), paint("paint neon 1"));
        assert_eq!(rephraser.wish("neon"), paint("paint neon 2"));
    }
}
