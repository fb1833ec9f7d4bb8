//! What became of pictures.

use serde::Serialize;

/// What a stream has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Pictures that came in.
    pub offered: u64,
    /// Those that a newer one replaced before it was their turn.
    pub replaced: u64,
    /// Those that went into the graph and never came out.
    pub lost: u64,
    /// Those that could not be read.
    pub broken: u64,
    /// Those that came back painted.
    pub painted: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.offered += other.offered;
        self.replaced += other.replaced;
        self.lost += other.lost;
        self.broken += other.broken;
        self.painted += other.painted;
    }
}

impl Tally {
    /// Pictures that came in and were never painted.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.replaced + self.lost + self.broken
    }
}
