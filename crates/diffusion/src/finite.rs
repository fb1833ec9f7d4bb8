//! Values that are numbers, and those that are not.

/// A value that is NaN or infinite: nothing can be painted out of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} has the value {value} at place {place} of {len}: {}", remedy(*.value))]
pub struct NotFinite {
    /// Whose value it is.
    pub what: &'static str,
    /// The first such value.
    pub value: f32,
    /// Where it stands in the flat slice.
    pub place: usize,
    /// The slice's length.
    pub len: usize,
}

fn remedy(value: f32) -> &'static str {
    if value.is_nan() {
        "it is not a number; if the graph computes in f16 it may overflow, export it in f32"
    } else {
        "it is too large; if the graph computes in f16 it may overflow, export it in f32"
    }
}

/// Checks that all values are finite; `what` names them in the error. About as fast as copying them.
///
/// # Errors
/// The first value that is not.
pub fn check_finite(what: &'static str, values: &[f32]) -> Result<(), NotFinite> {
    // Without an early exit, so that it is vectorised; the place is looked for only where there is one.
    if values.iter().fold(true, |all, value| all & value.is_finite()) {
        return Ok(());
    }
    let found = values.iter().copied().enumerate().find(|(_, value)| !value.is_finite());
    found.map_or(Ok(()), |(place, value)| Err(NotFinite { what, value, place, len: values.len() }))
}
