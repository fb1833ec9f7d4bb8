//! What lies ready for the next picture.

use crate::config::mirrors;
use crate::lookers::Lookers;
use crate::ports::{BEFORE, SOURCE};
use crate::takers::Takers;
use eyre::Result;
use mirror_contract::Settings;
use mirror_kit::{Environment, Node};

/// What is kept between two pictures.
#[derive(Debug)]
pub struct Desk {
    /// The picture as the model sees it: `size × size × 3` bytes, where somebody needs it.
    pub seen: Vec<u8>,
    /// This node swaps left and right, where the setting says so.
    pub mirrors: bool,
    /// Who looks at source pictures.
    pub lookers: Lookers,
    /// Who takes them in any case.
    pub takers: Takers,
}

impl Desk {
    /// The desk of that environment, in the graph of that node.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn of(environment: &Environment, node: &Node) -> Result<Self> {
        let takers = Takers::of(&node.members(), &format!("{}/{SOURCE}", node.name()));
        Ok(Self { seen: Vec::new(), mirrors: mirrors(environment)?, lookers: Lookers::default(), takers })
    }

    /// What is sent of a picture of that stream that is painted with those settings. A recording that was begun while the mirror runs
    /// is in no graph, and says what it wants by a parameter of this node, `source` (`mirror record`).
    #[must_use]
    pub fn copies(&self, node: &Node, settings: &Settings, stream: &str, now_ns: i64) -> Copies {
        let source = self.takers.need(settings) || node.is_on(SOURCE);
        Copies::of(source, self.lookers.want(stream, now_ns))
    }
}

/// The outputs on which a picture is sent as the model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// Before its latent.
    pub first: &'static [&'static str],
    /// Behind its latent.
    pub then: &'static [&'static str],
}

impl Copies {
    /// What a picture is laid over goes before it: behind its latent it had to wait for the core that the UNet had just taken, and could
    /// be later than what was painted of it. What people only look at goes behind.
    fn of(source: bool, before: bool) -> Self {
        Self { first: if source { &[SOURCE] } else { &[] }, then: if before { &[BEFORE] } else { &[] } }
    }

    /// Whether there are none: then nobody needs the picture but the model.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.then.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_picture_is_laid_over_is_sent_before_its_latent_and_what_is_looked_at_behind_it() {
        let copies = |source, before| {
            let Copies { first, then } = Copies::of(source, before);
            (first.to_vec(), then.to_vec())
        };
        assert_eq!(copies(true, true), (vec![SOURCE], vec![BEFORE]));
        assert_eq!(copies(true, false), (vec![SOURCE], vec![]));
        assert_eq!(copies(false, true), (vec![], vec![BEFORE]));
        assert_eq!(copies(false, false), (vec![], vec![]));
    }

    #[test]
    fn a_picture_of_which_nothing_is_sent_is_for_the_model_alone() {
        assert!(Copies::of(false, false).is_empty());
        assert!(!Copies::of(true, false).is_empty() && !Copies::of(false, true).is_empty());
    }
}
