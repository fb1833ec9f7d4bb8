//! Errors of HTTP requests. The three systems are written with FastAPI, and their clients read its form: `{"detail": …}`.

use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Detail {
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl Detail {
    /// That text.
    #[must_use]
    pub fn of(detail: impl Into<String>) -> Self {
        Self { detail: detail.into() }
    }
}

/// A request whose parts are not of the right form: 422.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invalid {
    /// One entry a fault.
    pub detail: Vec<InvalidPart>,
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InvalidPart {
    /// Where it is: `["body", "model_id"]`.
    pub loc: Vec<String>,
    /// What is wrong.
    pub msg: String,
    /// Its kind, a word: `value_error`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Invalid {
    /// One fault at that place.
    #[must_use]
    pub fn at(place: &[&str], message: impl Into<String>) -> Self {
        let loc = place.iter().map(|part| (*part).to_owned()).collect();
        Self { detail: vec![InvalidPart { loc, msg: message.into(), kind: "value_error".to_owned() }] }
    }
}
