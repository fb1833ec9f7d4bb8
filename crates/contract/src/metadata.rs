//! Typed reading and writing of dora's metadata parameters.

use crate::error::ContractError;
use dora_node_api::{MetadataParameters, Parameter};

/// Reads the keys of one message; every error names the message and the key.
pub(crate) struct Reader<'a> {
    pub message: &'static str,
    pub parameters: &'a MetadataParameters,
}

impl<'a> Reader<'a> {
    fn get(&self, key: &'static str) -> Result<&'a Parameter, ContractError> {
        self.parameters.get(key).ok_or(ContractError::MissingKey { message: self.message, key })
    }

    fn wrong(&self, key: &'static str, expected: &'static str) -> ContractError {
        ContractError::WrongKey { message: self.message, key, expected }
    }

    pub fn has(&self, key: &'static str) -> bool {
        self.parameters.contains_key(key)
    }

    pub fn text(&self, key: &'static str) -> Result<&'a str, ContractError> {
        match self.get(key)? {
            Parameter::String(text) => Ok(text),
            _ => Err(self.wrong(key, "a text")),
        }
    }

    pub fn integer(&self, key: &'static str) -> Result<i64, ContractError> {
        match self.get(key)? {
            Parameter::Integer(value) => Ok(*value),
            _ => Err(self.wrong(key, "an integer")),
        }
    }

    pub fn boolean(&self, key: &'static str) -> Result<bool, ContractError> {
        match self.get(key)? {
            Parameter::Bool(value) => Ok(*value),
            _ => Err(self.wrong(key, "true or false")),
        }
    }

    pub fn integers(&self, key: &'static str) -> Result<&'a [i64], ContractError> {
        match self.get(key)? {
            Parameter::ListInt(values) => Ok(values),
            _ => Err(self.wrong(key, "a list of integers")),
        }
    }

    pub fn texts(&self, key: &'static str) -> Result<&'a [String], ContractError> {
        match self.get(key)? {
            Parameter::ListString(values) => Ok(values),
            _ => Err(self.wrong(key, "a list of texts")),
        }
    }
}

/// Writes the keys of one message.
#[derive(Default)]
pub(crate) struct Writer(pub MetadataParameters);

impl Writer {
    pub fn text(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_owned(), Parameter::String(value.to_owned()));
    }

    pub fn integer(&mut self, key: &str, value: i64) {
        self.0.insert(key.to_owned(), Parameter::Integer(value));
    }

    pub fn boolean(&mut self, key: &str, value: bool) {
        self.0.insert(key.to_owned(), Parameter::Bool(value));
    }

    pub fn integers(&mut self, key: &str, values: Vec<i64>) {
        self.0.insert(key.to_owned(), Parameter::ListInt(values));
    }

    pub fn texts(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_owned(), Parameter::ListString(values));
    }
}
