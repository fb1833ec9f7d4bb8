//! What is to be painted.

use crate::fit::Fit;
use eyre::{Result, eyre};
use mirror_contract::Settings;
use mirror_models::Processor;
use serde_json::Value;

/// What is to be painted: the settings that a stream of the mirror has, and how the picture is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Prompt, strength, steps, seed … as in the parameter table. `mirror` is off: a picture is no mirror.
    pub settings: Settings,
    /// How a picture becomes one that the pack takes.
    pub fit: Fit,
    /// What it was made for: its steps are those that are allowed.
    pub processor: Processor,
}

impl Request {
    /// The parameters of a processor, and the defaults of the table.
    #[must_use]
    pub fn of(processor: &Processor) -> Self {
        let settings = Settings {
            processor: processor.name.clone(),
            steps: processor.steps,
            guidance_scale: processor.guidance_scale,
            strength: processor.strength,
            mirror: false,
            ..Settings::default()
        };
        Self { settings, fit: Fit::default(), processor: processor.clone() }
    }

    /// Whether the parameter table and the processor allow it.
    ///
    /// # Errors
    /// A value out of range: its name and its range; a number of steps that the processor was not trained for.
    pub fn check(&self) -> Result<()> {
        let mut checked = Settings::default();
        for (name, value) in self.settings.values() {
            checked.set(&name, &value)?;
        }
        self.processor.check_steps(self.settings.steps).map_err(|error| eyre!(error))
    }

    /// Sets a parameter by its name.
    ///
    /// # Errors
    /// A name that is not in the parameter table, a value that it does not allow.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        Ok(self.settings.set(name, value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processor() -> Processor {
        let (name, pack, text) = ("lightning".to_owned(), "sdxl".to_owned(), String::new());
        Processor { name, pack, steps: 4, steps_allowed: vec![1, 2, 4, 8], guidance_scale: 1.0, strength: 0.6, text }
    }

    #[test]
    fn a_request_starts_with_what_the_processor_says_and_is_not_mirrored() {
        let Settings { processor, steps, strength, mirror, .. } = Request::of(&self::processor()).settings;
        assert_eq!((processor.as_str(), steps, strength, mirror), ("lightning", 4, 0.6, false));
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_the_range() {
        let refused = |change: fn(&mut Settings)| {
            let mut request = Request::of(&processor());
            change(&mut request.settings);
            request.check().expect_err("out of range").to_string()
        };
        assert_eq!(refused(|it| it.strength = 1.5), "strength must be a number from 0 to 1, not 1.5");
        assert_eq!(refused(|it| it.strength = f64::NAN), "strength must be a number from 0 to 1, not null");
        assert_eq!(refused(|it| it.steps = 0), "steps must be a whole number from 1 to 50, not 0");
        assert_eq!(refused(|it| it.steps = 3), "steps must be 1, 2, 4 or 8 with the processor lightning, not 3");
        let expected = "size must be a whole number from 128 to 1024 in steps of 64, not 200";
        assert_eq!(refused(|it| it.size = 200), expected);
        assert!(refused(|it| it.prompt = "x".repeat(3000)).starts_with("prompt must be a text of at most 2000"));
    }
}
