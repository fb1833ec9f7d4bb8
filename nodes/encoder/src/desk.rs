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
        Copies::of(source, settings.passthrough, self.lookers.want(stream, now_ns))
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
    /// The UNet waits for the latent, and the decoder for the source only when there is nothing to paint.
    fn of(source: bool, passthrough: bool, before: bool) -> Self {
        let first: &[_] = if source && passthrough { &[SOURCE] } else { &[] };
        let then: &[_] = match (source && !passthrough, before) {
            (true, true) => &[SOURCE, BEFORE],
            (true, false) => &[SOURCE],
            (false, true) => &[BEFORE],
            (false, false) => &[],
        };
        Self { first, then }
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
    fn the_source_comes_first_only_where_nothing_is_painted_and_each_copy_is_sent_once() {
        let copies = |source, passthrough, before| {
            let Copies { first, then } = Copies::of(source, passthrough, before);
            (first.to_vec(), then.to_vec())
        };
        assert_eq!(copies(true, false, true), (vec![], vec![SOURCE, BEFORE]));
        assert_eq!(copies(true, false, false), (vec![], vec![SOURCE]));
        assert_eq!(copies(true, true, false), (vec![SOURCE], vec![]));
        assert_eq!(copies(true, true, true), (vec![SOURCE], vec![BEFORE]));
        assert_eq!(copies(false, false, true), (vec![], vec![BEFORE]));
        assert_eq!(copies(false, true, false), (vec![], vec![]));
    }

    #[test]
    fn a_picture_of_which_nothing_is_sent_is_for_the_model_alone() {
        assert!(Copies::of(false, false, false).is_empty());
        assert!(!Copies::of(true, true, false).is_empty() && !Copies::of(false, false, true).is_empty());
    }
}
