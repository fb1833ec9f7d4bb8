//! Who takes the pictures as the model sees them, and which of these are sent at all: a picture that nobody looks at would be copied,
//! and three processes woken for it, just when the next stage needs the cores.

use mirror_contract::Settings;
use mirror_kit::members::Member;

/// What a decoder is called, and takes besides: it looks at a source picture only where something of it is to be seen. One that
/// is called otherwise gets every picture.
const DECODER: (&str, &str) = ("decoder", "denoised");

/// Who takes an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takers {
    /// Nobody in this graph.
    Nobody,
    /// Decoders.
    Decoders,
    /// Others, or nobody knows who: they get every picture.
    Others,
}

impl Takers {
    /// Who takes that output, `encoder/source`, in a graph of those nodes; no nodes are a graph that cannot be read.
    #[must_use]
    pub fn of(members: &[Member], output: &str) -> Self {
        let takes = |member: &&Member| member.inputs.iter().any(|(_, source)| source == output);
        let (name, denoised) = DECODER;
        let decodes =
            |member: &Member| member.id.starts_with(name) && member.inputs.iter().any(|(port, _)| port == denoised);
        let mut takers = members.iter().filter(takes).peekable();
        if members.is_empty() {
            Self::Others
        } else if takers.peek().is_none() {
            Self::Nobody
        } else if takers.all(decodes) {
            Self::Decoders
        } else {
            Self::Others
        }
    }

    /// Whether they need the picture that is painted with those settings. Where they change, the few pictures that are under way
    /// are shown as they were begun.
    #[must_use]
    pub fn need(self, settings: &Settings) -> bool {
        match self {
            Self::Nobody => false,
            Self::Decoders => settings.passthrough || settings.opacity < 1.0,
            Self::Others => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, inputs: &[(&str, &str)]) -> Member {
        let inputs = inputs.iter().map(|(port, source)| ((*port).to_owned(), (*source).to_owned())).collect();
        Member { id: id.to_owned(), inputs, ..Member::default() }
    }

    fn takers(others: &[Member]) -> Takers {
        let encoder = member("encoder", &[("frame", "camera/frame")]);
        Takers::of(&[&[encoder][..], others].concat(), "encoder/source")
    }

    fn decoder() -> Member {
        member("decoder", &[("denoised", "diffusion/denoised"), ("source", "encoder/source")])
    }

    #[test]
    fn a_decoder_needs_the_source_where_something_of_it_is_to_be_seen() {
        let takers = takers(&[decoder()]);
        assert_eq!(takers, Takers::Decoders);
        let settings = |opacity, passthrough| Settings { opacity, passthrough, ..Settings::default() };
        assert!(!takers.need(&settings(1.0, false)));
        assert!(takers.need(&settings(0.99, false)));
        assert!(takers.need(&settings(1.0, true)));
    }

    #[test]
    fn whoever_else_takes_it_gets_every_picture() {
        let recorder = member("recorder", &[("denoised", "diffusion/denoised"), ("source", "encoder/source")]);
        for takers in [takers(&[decoder(), recorder.clone()]), takers(&[recorder]), Takers::of(&[], "encoder/source")] {
            assert!(takers.need(&Settings { opacity: 1.0, ..Settings::default() }), "{takers:?}");
        }
    }

    #[test]
    fn what_nobody_takes_is_not_sent() {
        let other = member("decoder", &[("denoised", "diffusion/denoised"), ("source", "encoder_2/source")]);
        assert!(!takers(&[other]).need(&Settings { opacity: 0.5, passthrough: true, ..Settings::default() }));
    }
}
