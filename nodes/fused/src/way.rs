//! A picture's way through the node: encoded, painted, shown.

use crate::easel::{Easel, Finished};
use crate::node::{FRAME, FRAME_WEB, PICTURE};
use crate::prompts::Prompts;
use crate::repaint::{Encoded, Fused, Painted, Showing, Wish, paint};
use eyre::{Report, Result, eyre};
use mirror_contract::{Frame, now_ns};
use mirror_kit::{Input, Next, Node, Woken};
use mirror_stage::Stage;
use std::time::Duration;

/// While something is painted, how often it is looked whether another picture has come.
const LOOK: Duration = Duration::from_micros(500);

/// What is under way.
pub struct Way {
    /// The prompts.
    pub prompts: Prompts,
    /// Where there is one, three pictures are under way; else one is, from its beginning to its end.
    easel: Option<Easel>,
    /// Waits for the easel, with the time at which it was taken up.
    encoded: Option<(Encoded, i64)>,
    /// When what is on the easel was taken up.
    painting_ns: i64,
    /// Memory of pictures that were shown.
    spare: Vec<Vec<u8>>,
}

impl Way {
    /// Nothing is under way yet.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn new(overlap: bool) -> Result<Self> {
        let easel = overlap.then(Easel::start).transpose()?;
        Ok(Self { prompts: Prompts::default(), easel, encoded: None, painting_ns: 0, spare: Vec::new() })
    }

    /// Waits for the next message, or for what is on the easel.
    ///
    /// # Errors
    /// The easel's thread has failed.
    pub fn next(&mut self, node: &mut Node) -> Result<Woken<Finished>> {
        let Some(easel) = self.easel.as_mut().filter(|easel| easel.is_busy()) else {
            return Ok(Woken::Graph(node.next().map_or(Next::Stop, Next::Input)));
        };
        loop {
            // There is room for one that is encoded: the next one waits outside, where a newer one takes its place.
            let patience = if self.encoded.is_none() {
                match node.poll() {
                    Next::Nothing => Some(LOOK),
                    next => return Ok(Woken::Graph(next)),
                }
            } else {
                None
            };
            if let Some(finished) = easel.wait(patience)? {
                return Ok(Woken::Other(finished));
            }
        }
    }

    /// A picture has come: with an easel it is encoded, and without one it goes all its way.
    ///
    /// # Errors
    /// dora cannot send; the easel's thread has failed.
    pub fn take(&mut self, node: &mut Node, stage: &mut Stage<Fused>, input: &Input) -> Result<()> {
        let Some(frame) = node.accept::<Frame>(input) else { return Ok(()) };
        // Visitors' pictures come one by one: the next one may come while this one is under way.
        if input.port == FRAME_WEB {
            node.take(&frame.header.stamp)?;
        }
        let stream = &frame.header.stamp.stream;
        let Some((settings, fused)) = stage.of(stream) else { return Ok(()) };
        // Until the first prompt is embedded there is nothing to paint it as.
        let Some(words) = self.prompts.of(stream, fused.pack(), input.received_ns) else { return Ok(()) };
        let wish = Wish { frame: &frame, settings, memory: self.spare.pop().unwrap_or_default() };
        // The next size or the next picture may do: the mirror goes on.
        let encoded = match fused.encode(wish) {
            Ok(encoded) => encoded,
            Err(error) => {
                refuse(node, &error);
                return Ok(());
            }
        };
        if self.easel.is_some() {
            self.encoded = Some((encoded, input.received_ns));
            return self.begin(node, stage);
        }
        let painter = fused.painter().as_mut().ok_or_else(|| eyre!("the painter is lent, and there is no easel"))?;
        match paint(painter, encoded, words) {
            Ok(painted) => self.spare.push(show(node, &mut fused.showing(), painted, input.received_ns)?),
            Err(error) => refuse(node, &error),
        }
        Ok(())
    }

    /// Puts what is encoded on the easel, if that is free.
    fn begin(&mut self, node: &mut Node, stage: &mut Stage<Fused>) -> Result<()> {
        let Some(easel) = self.easel.as_mut().filter(|easel| !easel.is_busy()) else { return Ok(()) };
        let Some((encoded, received_ns)) = self.encoded.take() else { return Ok(()) };
        let painter = stage.part(encoded.pack()).and_then(|fused| fused.painter().take());
        let words = self.prompts.of(encoded.stream(), encoded.pack(), now_ns());
        let (Some(painter), Some(words)) = (painter, words) else {
            refuse(node, &eyre!("the pack {} was closed before it was painted", encoded.pack()));
            return Ok(());
        };
        self.painting_ns = received_ns;
        easel.begin(painter, encoded, words)
    }

    /// A picture comes off the easel: the next one is put there, and this one is shown.
    ///
    /// # Errors
    /// dora cannot send; the easel's thread has failed.
    pub fn show(&mut self, node: &mut Node, stage: &mut Stage<Fused>, finished: Finished) -> Result<()> {
        let Finished { painted, pack, painter } = finished;
        let received_ns = self.painting_ns;
        if let Some(fused) = stage.part(&pack) {
            *fused.painter() = Some(painter);
        }
        self.begin(node, stage)?;
        match (painted, stage.part(&pack)) {
            (Ok(painted), Some(fused)) => self.spare.push(show(node, &mut fused.showing(), painted, received_ns)?),
            (Ok(_), None) => refuse(node, &eyre!("the pack {pack} was closed before it was shown")),
            (Err(error), _) => refuse(node, &error),
        }
        Ok(())
    }
}

/// Says and counts that a picture is not painted.
fn refuse(node: &mut Node, error: &Report) {
    node.refuse(FRAME, &format!("{error:#}"));
}

/// Decodes a picture and sends it; gives its memory back.
fn show(node: &mut Node, showing: &mut Showing, mut painted: Painted, received_ns: i64) -> Result<Vec<u8>> {
    match showing.decode(&painted) {
        Ok(size) => {
            node.sign(painted.header_mut(), received_ns);
            let mut written = Ok(());
            node.send_frame(PICTURE, painted.header(), size, |into| written = showing.write(&painted, into))?;
            written?;
        }
        Err(error) => refuse(node, &error),
    }
    Ok(painted.memory())
}
