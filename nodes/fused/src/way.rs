//! A picture's way through the node: taken up, painted, shown.

use crate::node::{FRAME, FRAME_WEB, PICTURE};
use crate::prompts::Prompts;
use crate::repaint::{Fused, Painted, Showing, Wish};
use eyre::Result;
use mirror_contract::Frame;
use mirror_kit::{Input, Node};
use mirror_stage::Stage;

/// What is under way.
#[derive(Debug, Default)]
pub struct Way {
    /// The prompts.
    pub prompts: Prompts,
    /// Painted and not shown yet, with the time at which it was taken up.
    painted: Option<(Painted, i64)>,
    /// Memory of a picture that was shown.
    spare: Vec<u8>,
}

impl Way {
    /// Whether a picture waits for being shown.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.painted.is_some()
    }

    /// Paints a picture, and meanwhile shows the one that waits, if there is one. It waits itself then.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn paint(&mut self, node: &mut Node, stage: &mut Stage<Fused>, input: &Input) -> Result<()> {
        let Some(frame) = node.accept::<Frame>(input) else { return Ok(()) };
        // Visitors' pictures come one by one: the next one may come while this one is painted.
        if input.port == FRAME_WEB {
            node.take(&frame.header.stamp)?;
        }
        let stream = &frame.header.stamp.stream;
        let with_others = |painted: &Painted, stage: &mut Stage<Fused>| {
            stage.of(stream).is_none_or(|(_, fused)| fused.pack() != painted.pack())
        };
        // What other models have begun, they finish.
        if self.painted.as_ref().is_some_and(|(painted, _)| with_others(painted, stage)) {
            self.show(node, stage)?;
        }
        let Some((settings, fused)) = stage.of(stream) else { return Ok(()) };
        // Until the first prompt is embedded there is nothing to paint it as.
        let Some(words) = self.prompts.of(stream, fused.pack(), input.received_ns) else { return Ok(()) };
        let wish = Wish { frame: &frame, settings, words, memory: std::mem::take(&mut self.spare) };
        let painted = match self.painted.take() {
            None => fused.paint(wish),
            Some((before, received_ns)) => {
                let (painted, shown) =
                    fused.paint_meanwhile(wish, |mut showing| show(node, &mut showing, before, received_ns));
                self.spare = shown?;
                painted
            }
        };
        match painted {
            Ok(painted) => self.painted = Some((painted, input.received_ns)),
            // The next size or the next picture may do: the mirror goes on.
            Err(error) => node.refuse(FRAME, &format!("{error:#}")),
        }
        Ok(())
    }

    /// Shows the picture that waits, if there is one.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn show(&mut self, node: &mut Node, stage: &mut Stage<Fused>) -> Result<()> {
        let Some((painted, received_ns)) = self.painted.take() else { return Ok(()) };
        // A pack that was closed meanwhile cannot show it any more.
        let Some(fused) = stage.part(painted.pack()) else { return Ok(()) };
        self.spare = show(node, &mut fused.showing(), painted, received_ns)?;
        Ok(())
    }
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
        Err(error) => node.refuse(FRAME, &format!("{error:#}")),
    }
    Ok(painted.memory())
}
