//! A picture's way through the node: encoded, painted, shown.

use crate::node::{FRAME, FRAME_WEB, PICTURE};
use crate::prompts::Prompts;
use crate::repaint::{Done, Encoded, Fused, Painted, Showing, Wish};
use eyre::Result;
use mirror_contract::{Frame, now_ns};
use mirror_kit::{Input, Node};
use mirror_stage::Stage;

/// What is under way, all of it of one pack, with the time at which it was taken up.
#[derive(Debug, Default)]
pub struct Way {
    /// The prompts.
    pub prompts: Prompts,
    encoded: Option<(Encoded, i64)>,
    painted: Option<(Painted, i64)>,
    /// Memory of pictures that were shown.
    spare: Vec<Vec<u8>>,
}

impl Way {
    /// Whether a picture is under way.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.pack().is_some()
    }

    /// The pack of what is under way.
    fn pack(&self) -> Option<&str> {
        let encoded = self.encoded.as_ref().map(|(encoded, _)| encoded.pack());
        encoded.or_else(|| self.painted.as_ref().map(|(painted, _)| painted.pack()))
    }

    /// A picture goes all its way.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn whole(&mut self, node: &mut Node, stage: &mut Stage<Fused>, input: &Input) -> Result<()> {
        let Some(frame) = frame_of(node, input)? else { return Ok(()) };
        let stream = &frame.header.stamp.stream;
        let Some((settings, fused)) = stage.of(stream) else { return Ok(()) };
        // Until the first prompt is embedded there is nothing to paint it as.
        let Some(words) = self.prompts.of(stream, fused.pack(), input.received_ns) else { return Ok(()) };
        let wish = Wish { frame: &frame, settings, memory: self.spare.pop().unwrap_or_default() };
        match fused.encode(wish).and_then(|encoded| fused.paint(encoded, words)) {
            Ok(painted) => self.spare.push(show(node, &mut fused.showing(), painted, input.received_ns)?),
            // The next size or the next picture may do: the mirror goes on.
            Err(error) => node.refuse(FRAME, &format!("{error:#}")),
        }
        Ok(())
    }

    /// All that is under way goes one stage further, and a picture that has come is encoded: at once, each in a thread.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn step(&mut self, node: &mut Node, stage: &mut Stage<Fused>, input: Option<&Input>) -> Result<()> {
        let (frame, now) = match input {
            Some(input) => (frame_of(node, input)?, input.received_ns),
            None => (None, now_ns()),
        };
        let Some(frame) = frame else { return self.go(node, stage, None, now) };
        let pack = stage.of(&frame.header.stamp.stream).map(|(_, fused)| fused.pack().to_owned());
        // What other models have begun, they finish.
        while self.pack().is_some_and(|under_way| pack.as_ref().is_some_and(|pack| pack != under_way)) {
            self.go(node, stage, None, now)?;
        }
        self.go(node, stage, pack.is_some().then_some(&frame), now)
    }

    /// One stage further, with a picture of the same pack as what is under way.
    fn go(&mut self, node: &mut Node, stage: &mut Stage<Fused>, frame: Option<&Frame>, now_ns: i64) -> Result<()> {
        let found = match frame {
            Some(frame) => {
                stage.of(&frame.header.stamp.stream).map(|(settings, fused)| (Some((frame, settings)), fused))
            }
            None => self.pack().and_then(|pack| stage.part(pack)).map(|fused| (None, fused)),
        };
        let (encoded, painted) = (self.encoded.take(), self.painted.take());
        // A pack that was closed meanwhile cannot finish what it has begun.
        let Some((taken, fused)) = found else { return Ok(()) };
        // Until the first prompt is embedded there is nothing to paint it as.
        let taken =
            taken.filter(|(frame, _)| self.prompts.of(&frame.header.stamp.stream, fused.pack(), now_ns).is_some());
        let wish =
            taken.map(|(frame, settings)| Wish { frame, settings, memory: self.spare.pop().unwrap_or_default() });
        let since = encoded.as_ref().map_or(now_ns, |(_, since)| *since);
        let begun = encoded.and_then(|(encoded, _)| {
            let words = self.prompts.of(encoded.stream(), encoded.pack(), now_ns)?;
            Some((encoded, words))
        });
        let done = fused.at_once(wish, begun, |mut showing| {
            painted.map(|(painted, since)| show(node, &mut showing, painted, since)).transpose()
        });
        let Done { encoded, painted, shown } = done;
        self.spare.extend(shown?);
        self.encoded = kept(node, encoded).map(|encoded| (encoded, now_ns));
        self.painted = kept(node, painted).map(|painted| (painted, since));
        Ok(())
    }
}

/// The picture of an input. Visitors' pictures come one by one: the next one may come while this one is under way.
fn frame_of(node: &mut Node, input: &Input) -> Result<Option<Frame>> {
    let frame = node.accept::<Frame>(input);
    if let Some(frame) = frame.as_ref().filter(|_| input.port == FRAME_WEB) {
        node.take(&frame.header.stamp)?;
    }
    Ok(frame)
}

/// What a stage has made, unless it failed: the next size or the next picture may do, the mirror goes on.
fn kept<T>(node: &mut Node, made: Option<Result<T>>) -> Option<T> {
    made?.map_err(|error| node.refuse(FRAME, &format!("{error:#}"))).ok()
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
