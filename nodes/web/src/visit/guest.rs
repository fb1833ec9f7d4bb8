//! The conversation with one client: what it says, and what it is told, neither waiting for the other.

use super::{Ending, HEAD, ORIGIN, Said, ending};
use crate::board::Status;
use crate::press::Picture;
use crate::site::Site;
use crate::socket::{Ear, Line, Mouth, Word};
use crate::streams::{ChangeError, Comparing, Credits, Owner, Photo, Viewer};
use bytes::Bytes;
use mirror_contract::now_ns;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};
use tokio::time::interval;

/// Answers that may wait for a client.
const ANSWERS: usize = 16;
/// Pictures on their way whose tags are remembered: more than may be.
const TAGS: usize = 8;

/// Who is at the other end.
pub(super) struct Guest<'a> {
    site: &'a Site,
    viewer_of: String,
    owner: Option<Owner>,
    /// It wants what paintings are made from.
    comparing: Mutex<Option<Comparing>>,
    /// The client's tags of pictures that are on their way, by number.
    tags: Mutex<VecDeque<(i64, u32)>>,
}

impl<'a> Guest<'a> {
    /// Somebody who watches the stream of that name, or owns it.
    pub fn of(site: &'a Site, viewer_of: String, owner: Option<Owner>) -> Self {
        Self { site, viewer_of, owner, comparing: Mutex::default(), tags: Mutex::default() }
    }

    /// Talks with it until it is gone, or has to go.
    pub async fn attend(self, line: &mut Line, viewer: Viewer, credits: Option<Credits>) -> Ending {
        let streams = &self.site.streams;
        let welcome = json!({
            "type": "welcome", "stream": self.viewer_of, "is_owner": self.owner.is_some(), "hears": streams.limits().hears,
            "compares": self.owner.is_none() && streams.can_compare(&self.viewer_of),
        });
        let (answers, answered) = mpsc::channel(ANSWERS);
        let (ear, mouth) = line.halves();
        if mouth.say(&welcome).await.is_err() {
            return Ok(());
        }
        // Neither waits for the other: who sends nothing is shown pictures, who takes nothing may send them.
        let ending = tokio::select! {
            ending = self.listen(ear, &answers) => ending,
            ending = self.tell(mouth, viewer, credits, answered) => ending,
        };
        if let (Ok(true), Some(owner)) = (&ending, self.owner) {
            owner.end();
        }
        ending.map(drop)
    }

    /// Takes in what the client sends. `Ok(true)`: it has ended its stream.
    async fn listen(&self, ear: &mut Ear, answers: &mpsc::Sender<Value>) -> Result<bool, (&'static str, String)> {
        loop {
            let answer = match ear.next().await {
                Ok(Word::Text(text)) => match serde_json::from_str(&text) {
                    Ok(Said::End) if self.owner.is_some() => return Ok(true),
                    Ok(Said::Settings { values }) => Some(self.change(values)),
                    Ok(Said::Compare { on }) => self.compare(on).err().map(trouble),
                    Ok(_) => Some(trouble("this socket has its stream already")),
                    Err(error) => Some(trouble(&error.to_string())),
                },
                Ok(Word::Binary(bytes)) => self.take(&bytes).err().map(|error| trouble(&error)),
                Err(gone) => return ending(gone).map(|()| false),
            };
            // A client that floods and takes no answers gets fewer of them.
            answer.into_iter().for_each(|answer| drop(answers.try_send(answer)));
        }
    }

    fn compare(&self, on: bool) -> Result<(), &'static str> {
        let mut comparing = self.comparing.lock().unwrap_or_else(PoisonError::into_inner);
        if on && comparing.is_none() {
            let streams = self.owner.is_none().then_some(&self.site.streams);
            *comparing = streams.and_then(|streams| streams.compare(&self.viewer_of));
            return comparing.as_ref().map(|_| ()).ok_or("this stream's pictures cannot be compared");
        }
        comparing.take_if(|_| !on);
        Ok(())
    }

    fn change(&self, values: Map<String, Value>) -> Value {
        let changed = match &self.owner {
            Some(owner) => owner.change(values),
            None if self.viewer_of == self.site.config.stream => {
                self.site.streams.change(&self.viewer_of, ORIGIN, values)
            }
            None => return trouble("this stream is somebody else's: only who opened it changes its settings"),
        };
        match changed {
            Ok(values) => json!({"type": "accepted", "values": values}),
            Err(error @ (ChangeError::Busy | ChangeError::Unknown)) => trouble(&error.to_string()),
            Err(error) => json!({"type": "refused", "errors": error.faults()}),
        }
    }

    /// Takes in a picture or sound.
    fn take(&self, bytes: &Bytes) -> Result<(), String> {
        let Some(owner) = &self.owner else { return Err("who only watches sends nothing".to_owned()) };
        let Some((head, _)) = bytes.split_first_chunk::<HEAD>() else {
            return Err(format!("a binary message has at least {HEAD} bytes"));
        };
        let [kind, _, _, _, t0, t1, t2, t3, a0, a1, a2, a3] = *head;
        let age_ms = f64::from(f32::from_le_bytes([a0, a1, a2, a3]));
        // A minute is more than any camera holds back; what is no number is none.
        let age_ns = if (0.0..=60_000.0).contains(&age_ms) { (age_ms * 1e6) as i64 } else { 0 };
        let captured_ns = now_ns() - age_ns;
        let body = bytes.slice(HEAD..);
        match kind {
            1 => {
                let number = owner.offer(Photo::File(body), captured_ns).map_err(|error| error.to_string())?;
                self.tag(number, u32::from_le_bytes([t0, t1, t2, t3]));
                Ok(())
            }
            2 => {
                let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0;
                owner.hear(body.chunks_exact(2).map(sample).collect(), captured_ns).map_err(|error| error.to_string())
            }
            _ => Err(format!("a binary message is of kind 1 (picture) or 2 (sound), not {kind}")),
        }
    }

    fn tag(&self, number: i64, tag: u32) {
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        if tags.len() == TAGS {
            tags.pop_front();
        }
        tags.push_back((number, tag));
    }

    fn tag_of(&self, number: i64) -> Option<u32> {
        let tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        tags.iter().find(|(of, _)| *of == number).map(|(_, tag)| *tag)
    }

    /// Sends the client what there is for it.
    async fn tell(
        &self,
        mouth: &mut Mouth,
        mut viewer: Viewer,
        mut credits: Option<Credits>,
        mut answers: mpsc::Receiver<Value>,
    ) -> Result<bool, (&'static str, String)> {
        let mut status = viewer.status();
        status.mark_changed();
        let mut troubles = self.owner.as_ref().map(Owner::troubles);
        let mut alive = interval(self.site.config.front.socket().ask_after());
        loop {
            let told = tokio::select! {
                // What may be sent is said first: a client that waits for that makes the graph wait.
                biased;
                granted = next_credit(&mut credits) => {
                    if !granted {
                        return Err(("moved", "the stream has ended, or goes on in another window".to_owned()));
                    }
                    mouth.say(&json!({"type": "credit"})).await
                }
                Some(answer) = answers.recv() => mouth.say(&answer).await,
                fault = next_trouble(&mut troubles) => mouth.say(&trouble(&fault)).await,
                Ok(()) = status.changed() => {
                    let news = self.status(&viewer, &mut status);
                    mouth.say(&news).await
                }
                picture = viewer.next() => match picture {
                    Some(picture) => mouth.send(self.head(&picture)).await,
                    None => return Err(("ended", "the stream has ended".to_owned())),
                },
                _ = alive.tick() => mouth.ask().await,
            };
            if told.is_err() {
                return Ok(false);
            }
        }
    }

    fn status(&self, viewer: &Viewer, status: &mut watch::Receiver<Arc<Status>>) -> Value {
        let mut body = json!(&**status.borrow_and_update());
        body["type"] = "status".into();
        if let Some(entry) = self.site.streams.entry_of(viewer.name()) {
            body["tally"] = json!(entry.tally);
            body["viewers"] = json!(entry.viewers);
            body["live"] = json!(entry.is_live);
            // What a visitor sends is in no film of the mirror.
            body["recorded"] = json!(entry.origin.is_empty() && self.site.desk.is_recording());
        }
        body
    }

    fn head(&self, picture: &Picture) -> Bytes {
        let prompt = picture.painting.as_ref().map(|painting| painting.prompt.as_str());
        let tag = self.owner.as_ref().and_then(|_| self.tag_of(picture.stamp.frame_id));
        let compares = self.comparing.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let before = picture.before.as_ref().filter(|_| compares);
        let head = json!({
            "frame": picture.stamp.frame_id, "tag": tag, "width": picture.width, "height": picture.height,
            "prompt": prompt, "age_ms": (now_ns() - picture.stamp.captured_ns) as f64 / 1e6,
            "before": before.map_or(0, Bytes::len),
        });
        let head = head.to_string();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
        let before = before.map_or(&[][..], |before| before);
        [&length[..], head.as_bytes(), before, &picture.jpeg].concat().into()
    }
}

/// Never, for those who own nothing.
async fn next_credit(credits: &mut Option<Credits>) -> bool {
    match credits {
        Some(credits) => credits.next().await,
        None => std::future::pending().await,
    }
}

/// Never, for those who own nothing.
async fn next_trouble(troubles: &mut Option<watch::Receiver<(u64, String)>>) -> String {
    if let Some(troubles) = troubles
        && troubles.changed().await.is_ok()
    {
        return troubles.borrow_and_update().1.clone();
    }
    std::future::pending().await
}

fn trouble(error: &str) -> Value {
    json!({"type": "trouble", "error": error})
}
