//! What lies ready for the next picture.

use crate::config::mirrors;
use crate::lookers::Lookers;
use eyre::Result;
use mirror_kit::Environment;

/// What is kept between two pictures.
#[derive(Debug)]
pub struct Desk {
    /// The picture as the model sees it: `size × size × 3` bytes.
    pub seen: Vec<u8>,
    /// This node swaps left and right, where the setting says so.
    pub mirrors: bool,
    /// Who looks at source pictures.
    pub lookers: Lookers,
}

impl Desk {
    /// The desk of that environment.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn of(environment: &Environment) -> Result<Self> {
        Ok(Self { seen: Vec::new(), mirrors: mirrors(environment)?, lookers: Lookers::default() })
    }
}
