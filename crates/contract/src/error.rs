//! What can be wrong with a message.

/// A message that breaks the contract. The text names the key, and says what was expected and what came.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ContractError {
    /// A metadata key is not there.
    #[error("{message}: metadata key \"{key}\" is missing")]
    MissingKey {
        /// The message's type.
        message: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A metadata key holds another type than it should.
    #[error("{message}: metadata key \"{key}\" must be {expected}")]
    WrongKey {
        /// The message's type.
        message: &'static str,
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The payload's elements have the wrong type.
    #[error("{message}: payload must be an Arrow {expected} array, not {actual}")]
    WrongType {
        /// The message's type.
        message: &'static str,
        /// The Arrow type it must have.
        expected: &'static str,
        /// The Arrow type it has.
        actual: String,
    },
    /// The shape does not describe such a message.
    #[error("{message}: shape {shape:?} must be {expected}")]
    WrongShape {
        /// The message's type.
        message: &'static str,
        /// The shape that came.
        shape: Vec<i64>,
        /// What it must be.
        expected: &'static str,
    },
    /// The payload is longer or shorter than its shape says.
    #[error("{message}: shape {shape:?} needs {expected} elements, the payload has {actual}")]
    WrongLength {
        /// The message's type.
        message: &'static str,
        /// The shape that came.
        shape: Vec<i64>,
        /// The shape's product.
        expected: usize,
        /// The payload's length.
        actual: usize,
    },
    /// The payload has a null where a value must be.
    #[error("{message}: payload has {count} nulls, it must have none")]
    Nulls {
        /// The message's type.
        message: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The text in the payload is not what it must be.
    #[error("{message}: {reason}")]
    WrongText {
        /// The message's type.
        message: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}
