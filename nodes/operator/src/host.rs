//! Which operator paints, and which one steps in when it fails.

use crate::sample::{Painted, Sample};
use eyre::Result;
use mirror_contract::Level;
use mirror_kit::words::LIVE;

/// Something that paints pictures.
pub trait Runs {
    /// What it is called.
    fn name(&self) -> &str;

    /// Paints one picture.
    ///
    /// # Errors
    /// It has failed, and is not asked again.
    fn run(&mut self, sample: &Sample) -> Result<Painted>;
}

/// The operator that paints, and the one before it, which still lives: a picture on which the first one fails is painted
/// by the second, and so is every picture after it.
#[derive(Debug)]
pub struct Host<R> {
    live: Option<R>,
    before: Option<R>,
}

impl<R> Default for Host<R> {
    fn default() -> Self {
        Self { live: None, before: None }
    }
}

impl<R: Runs> Host<R> {
    /// Puts a new operator in, between two pictures. The one before the present one is dropped.
    pub fn swap(&mut self, new: R) -> String {
        self.before = self.live.replace(new);
        match (&self.live, &self.before) {
            (Some(live), Some(before)) => format!("operator {}{LIVE}, {} stands by", live.name(), before.name()),
            (live, _) => format!("operator {}{LIVE}", live.as_ref().map_or("", Runs::name)),
        }
    }

    /// Drops all operators: pictures pass unchanged. `None` if there were none.
    pub fn clear(&mut self) -> Option<String> {
        self.before = None;
        let gone = self.live.take()?;
        Some(format!("operator {} is taken out: pictures pass unchanged", gone.name()))
    }

    /// Paints a picture, with whatever operator can. `None`: none can, it passes unchanged. What went wrong is said.
    pub fn run(&mut self, sample: &Sample, say: &mut dyn FnMut(Level, String)) -> Option<Painted> {
        while let Some(live) = &mut self.live {
            match live.run(sample) {
                Ok(painted) => return Some(painted),
                Err(error) => {
                    let failed = live.name().to_owned();
                    self.live = self.before.take();
                    let now = match &self.live {
                        Some(before) => format!("{} paints again", before.name()),
                        None => "pictures pass unchanged".to_owned(),
                    };
                    say(Level::Warning, format!("operator {failed} has failed: {error:#}; {now}"));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eyre::bail;

    /// Paints everything in one value, a few pictures long.
    struct Fake(&'static str, u8, usize);

    impl Runs for Fake {
        fn name(&self) -> &str {
            self.0
        }

        fn run(&mut self, sample: &Sample) -> Result<Painted> {
            let Some(left) = self.2.checked_sub(1) else { bail!("it has had enough") };
            self.2 = left;
            Ok(Painted { shape: sample.shape, pixels: vec![self.1; sample.picture.len()].into() })
        }
    }

    fn paint(host: &mut Host<Fake>) -> (Option<u8>, Vec<String>) {
        let mut said = Vec::new();
        let painted = host.run(&Sample::synthetic(), &mut |_, text| said.push(text));
        (painted.map(|painted| painted.pixels[0]), said)
    }

    #[test]
    fn without_an_operator_pictures_pass() {
        assert_eq!(paint(&mut Host::default()), (None, vec![]));
    }

    #[test]
    fn the_newest_operator_paints_from_the_next_picture_on() {
        let mut host = Host::default();
        assert_eq!(host.swap(Fake("one", 1, 9)), "operator one is live");
        assert_eq!(paint(&mut host), (Some(1), vec![]));
        assert_eq!(host.swap(Fake("two", 2, 9)), "operator two is live, one stands by");
        assert_eq!(paint(&mut host), (Some(2), vec![]));
    }

    #[test]
    fn a_picture_on_which_the_new_one_fails_is_painted_by_the_old_one_and_so_is_the_next() {
        let mut host = Host::default();
        host.swap(Fake("one", 1, 9));
        host.swap(Fake("two", 2, 1));
        assert_eq!(paint(&mut host), (Some(2), vec![]));
        let said = "operator two has failed: it has had enough; one paints again".to_owned();
        assert_eq!(paint(&mut host), (Some(1), vec![said]));
        assert_eq!(paint(&mut host), (Some(1), vec![]));
    }

    #[test]
    fn when_both_fail_the_picture_passes_and_both_are_named() {
        let mut host = Host::default();
        host.swap(Fake("one", 1, 0));
        host.swap(Fake("two", 2, 0));
        let (pixels, said) = paint(&mut host);
        assert_eq!(pixels, None);
        assert_eq!(said.len(), 2);
        assert!(said[1].ends_with("pictures pass unchanged"), "{said:?}");
    }

    #[test]
    fn what_is_taken_out_is_said_once() {
        let mut host = Host::default();
        host.swap(Fake("one", 1, 9));
        assert_eq!(host.clear().as_deref(), Some("operator one is taken out: pictures pass unchanged"));
        assert_eq!(host.clear(), None);
        assert_eq!(paint(&mut host), (None, vec![]));
    }
}
