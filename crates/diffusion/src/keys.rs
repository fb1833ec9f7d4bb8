//! Typed values out of `scheduler_config.json`.

use crate::config::ConfigError;
use serde_json::{Map, Value};

/// Every key that diffusers 0.42 gives a scheduler of the classes here, or that is often left over from another class
/// when somebody changed `_class_name`. What a class does not read does not matter to it, in diffusers as here.
const KNOWN: &[&str] = &[
    "algorithm_type",
    "beta_end",
    "beta_schedule",
    "beta_start",
    "clip_sample",
    "clip_sample_range",
    "disable_corrector",
    "dynamic_thresholding_ratio",
    "euler_at_final",
    "final_sigmas_type",
    "flow_shift",
    "interpolation_type",
    "lambda_min_clipped",
    "lower_order_final",
    "num_train_timesteps",
    "original_inference_steps",
    "predict_x0",
    "prediction_type",
    "rescale_betas_zero_snr",
    "sample_max_value",
    "set_alpha_to_one",
    "sigma_max",
    "sigma_min",
    "skip_prk_steps",
    "solver_order",
    "solver_p",
    "solver_type",
    "steps_offset",
    "thresholding",
    "time_shift_type",
    "timestep_scaling",
    "timestep_spacing",
    "timestep_type",
    "trained_betas",
    "use_beta_sigmas",
    "use_dynamic_shifting",
    "use_exponential_sigmas",
    "use_flow_sigmas",
    "use_karras_sigmas",
    "use_lu_lambdas",
    "variance_type",
];

/// Reads keys, each with a default for where it is missing or null; a value of another type is an error.
pub(crate) struct Keys<'a>(&'a Map<String, Value>);

impl<'a> Keys<'a> {
    /// # Errors
    /// No object.
    pub fn of(json: &'a Value) -> Result<Self, ConfigError> {
        json.as_object().map(Self).ok_or(ConfigError::NoObject)
    }

    /// # Errors
    /// A key that nobody knows and that may matter.
    pub fn all_known(&self) -> Result<(), ConfigError> {
        // A newer diffusers writes its new keys into every file; null and false leave things as they were.
        let matters = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let known = |key: &str| key.starts_with('_') || KNOWN.contains(&key);
        match self.0.iter().find(|(key, value)| !known(key) && matters(value)) {
            Some((key, value)) => Err(ConfigError::Unknown { key: key.clone(), value: value.to_string() }),
            None => Ok(()),
        }
    }

    /// Whether there is such a key, with a value.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A finite number, if there is one.
    pub fn number(&self, key: &'static str) -> Result<Option<f64>, ConfigError> {
        let read = |value: &Value| value.as_f64().ok_or_else(|| out_of_range(key, "a number", value));
        self.value(key).map(read).transpose()
    }

    /// A number of that open range, which `expected` puts into words, if there is one.
    pub fn between(
        &self,
        key: &'static str,
        [low, high]: [f64; 2],
        expected: &'static str,
    ) -> Result<Option<f64>, ConfigError> {
        match self.number(key)? {
            Some(number) if !(number > low && number < high) => {
                Err(ConfigError::OutOfRange { key, expected, value: number.to_string() })
            }
            number => Ok(number),
        }
    }

    /// A whole number of that range, which `expected` puts into words.
    pub fn whole(
        &self,
        key: &'static str,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
        expected: &'static str,
    ) -> Result<usize, ConfigError> {
        // Some writers put 1000.0.
        let whole = |number: &f64| number.fract() == 0.0 && *number >= 0.0;
        let found = match self.value(key) {
            Some(value) => value.as_f64().filter(whole).map(|number| number as usize),
            None => Some(default),
        };
        let shown = || self.value(key).map_or_else(|| default.to_string(), shown);
        found.filter(|whole| range.contains(whole)).ok_or_else(|| ConfigError::OutOfRange {
            key,
            expected,
            value: shown(),
        })
    }

    /// True or false.
    pub fn flag(&self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        value.as_bool().ok_or_else(|| out_of_range(key, "true or false", value))
    }

    /// One of the words; without the key the first.
    pub fn choice<T: Clone>(
        &self,
        key: &'static str,
        choices: &[(&str, T)],
        supported: &'static str,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(choices[0].1.clone()) };
        let found = choices.iter().find(|(word, _)| value.as_str() == Some(word));
        found.map(|(_, choice)| choice.clone()).ok_or_else(|| unsupported(key, value, supported))
    }

    /// Flags that would have to be off.
    pub fn refuse(&self, keys: &[&'static str]) -> Result<(), ConfigError> {
        for key in keys {
            if self.flag(key, false)? {
                return Err(unsupported(key, &Value::Bool(true), "false"));
            }
        }
        Ok(())
    }

    /// A list of numbers, if there is one.
    pub fn list(&self, key: &'static str) -> Result<Option<Vec<f64>>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let numbers = value.as_array().and_then(|values| values.iter().map(Value::as_f64).collect());
        numbers.map(Some).ok_or_else(|| out_of_range(key, "a list of numbers", value))
    }
}

fn unsupported(key: &'static str, value: &Value, supported: &'static str) -> ConfigError {
    ConfigError::Unsupported { key, value: shown(value), supported }
}

fn out_of_range(key: &'static str, expected: &'static str, value: &Value) -> ConfigError {
    ConfigError::OutOfRange { key, expected, value: shown(value) }
}

/// A text without its quotes, anything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
