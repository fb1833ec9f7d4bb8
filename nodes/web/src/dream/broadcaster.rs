//! A broadcaster's conversation.

use super::studio::{Part, Studio};
use crate::press::Picture;
use crate::socket::{Gone, Line, Word, code};
use crate::streams::{Owner, Photo, PhotoError, Viewer};
use mirror_contract::now_ns;
use mirror_protocols::dream::{Ask, PROCESSOR, Role, hear, said};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// What paints a channel, as a client named it.
pub struct Painter {
    /// The name that the client knows.
    pub processor: String,
    /// The processor of ours.
    pub painter: String,
    /// What the client is told.
    pub message: String,
}

impl Painter {
    /// What that name stands for; a name that nobody knows stands for the default.
    #[must_use]
    pub fn of(studio: &Studio, name: Option<&str>) -> Self {
        let default = PROCESSOR;
        let name = name.unwrap_or(default);
        if let Some(painter) = studio.painter(name) {
            let message = format!("Painting with {painter}");
            return Self { processor: name.to_owned(), painter, message };
        }
        let painter = studio.painter(default).unwrap_or_default();
        let shown: String = name.chars().take(64).collect();
        let message = format!("There is no processor \"{shown}\": painting with {painter}");
        Self { processor: default.to_owned(), painter, message }
    }
}

/// Leads the conversation until it ends.
pub async fn talk(studio: Arc<Studio>, part: Part, painter: Painter, peer: Option<IpAddr>, mut line: Line) {
    let opened = part.open(&painter.processor, &painter.painter, peer);
    let owner = match opened {
        Ok(owner) => owner,
        Err(error) => {
            let _ = line.say(&said::error("Server is full", Some(&error.to_string()))).await;
            return line.close(code::TRY_LATER, "no place").await;
        }
    };
    let viewer = Some(owner.watch());
    let mut talk = Talk { studio, part, owner, painter, viewer, newest: None, is_subscribed: false };
    let gone = talk.lead(&mut line).await.unwrap_or_else(|gone| gone);
    drop(talk);
    super::viewer::part(line, gone).await;
}

struct Talk {
    studio: Arc<Studio>,
    part: Part,
    owner: Arc<Owner>,
    painter: Painter,
    viewer: Option<Viewer>,
    newest: Option<Arc<Picture>>,
    /// Wants to see every painted picture.
    is_subscribed: bool,
}

impl Talk {
    async fn lead(&mut self, line: &mut Line) -> Result<Gone, Gone> {
        line.say(&said::processor_info(&self.painter.processor, &self.painter.message)).await?;
        let mut troubles = self.owner.troubles();
        let mut look = self.part.channel.look.subscribe();
        loop {
            tokio::select! {
                word = line.next() => match word? {
                    Word::Text(text) => match hear(Role::Broadcaster, &text) {
                        Ok(ask) => {
                            for answer in self.answer(ask) {
                                line.say(&answer).await?;
                            }
                        }
                        Err(answer) => line.say(&answer).await?,
                    },
                    Word::Binary(_) => line.say(&said::error("Binary messages are not understood", Some("pictures come as text: {\"type\": \"frame\", \"frame\": \"data:image/jpeg;base64,…\"}"))).await?,
                },
                picture = super::viewer::next(&mut self.viewer) => match picture {
                    Some(picture) => {
                        self.newest = Some(picture.clone());
                        if self.is_subscribed {
                            let frame = super::viewer::frame(&self.part.channel, &picture);
                            line.say(&frame).await?;
                        }
                    }
                    None => self.viewer = None,
                },
                changed = troubles.changed() => {
                    if changed.is_err() {
                        return Ok(Gone::Closed);
                    }
                    let text = troubles.borrow_and_update().1.clone();
                    line.say(&said::error("Invalid frame", Some(&text))).await?;
                }
                changed = look.changed() => {
                    // Another broadcaster of this channel has ended it.
                    if changed.is_err() || look.borrow_and_update().state == said::State::Ended {
                        line.say(&said::stream_ended_confirmation(&self.part.channel.id)).await?;
                        return Ok(Gone::Broken(code::NORMAL, String::new()));
                    }
                }
            }
        }
    }

    fn answer(&mut self, ask: Ask) -> Vec<Value> {
        let channel = &self.part.channel;
        let changes = ask.changes();
        if !changes.is_empty()
            && let Err(error) = self.owner.change(changes)
        {
            return vec![said::error(&error.to_string(), None)];
        }
        let answer = match ask {
            Ask::Frame(file) => return self.frame(file),
            Ask::Prompt(prompt) => {
                channel.look.send_modify(|look| look.prompt.clone_from(&prompt));
                said::prompt_updated(&prompt)
            }
            Ask::NegativePrompt(prompt) => said::negative_prompt_updated(&prompt),
            Ask::Strength(strength) => {
                channel.look.send_modify(|look| look.strength = strength);
                said::strength_updated(strength)
            }
            Ask::Processor(name) => self.paint_with(name),
            Ask::End => {
                channel.end();
                return Vec::new();
            }
            Ask::Ping => said::pong(),
            Ask::ProcessorInfo => {
                let processor = channel.look.borrow().processor.clone();
                said::processor_info(&processor, &self.painter.message)
            }
            Ask::LatestFrame => said::latest_frame(self.newest.as_ref().map(|picture| &*picture.jpeg)),
            Ask::Subscribe => {
                self.is_subscribed = true;
                said::subscription_confirmed()
            }
            Ask::Unsubscribe => {
                self.is_subscribed = false;
                said::unsubscription_confirmed()
            }
            Ask::Status(id) => super::viewer::status(&self.studio, channel, id),
            Ask::Style => super::viewer::style(channel),
            Ask::Nothing => return Vec::new(),
        };
        vec![answer]
    }

    fn frame(&mut self, file: Vec<u8>) -> Vec<Value> {
        let before = self.replaced();
        match self.owner.offer(Photo::File(file.into()), now_ns()) {
            // Another one of this name goes on, or nobody: the look says so.
            Err(PhotoError::Ended) => Vec::new(),
            Err(error) => vec![said::error("Invalid frame", Some(&error.to_string()))],
            Ok(_) if self.replaced() > before => {
                vec![said::frame_skipped("An older frame was skipped: a newer one came before it could be painted")]
            }
            Ok(_) => Vec::new(),
        }
    }

    /// How many pictures have made way for newer ones.
    fn replaced(&self) -> u64 {
        let tally = self.studio.site.streams.entry_of(&self.part.channel.stream).and_then(|entry| entry.tally);
        tally.map_or(0, |tally| tally.replaced)
    }

    fn paint_with(&mut self, name: String) -> Value {
        let Some(painter) = self.studio.painter(&name) else {
            let known = self.studio.processors().join(", ");
            let shown: String = name.chars().take(64).collect();
            return said::error(&format!("Unknown processor type: {shown}"), Some(&format!("there are {known}")));
        };
        let change = [("processor".to_owned(), painter.as_str().into())].into_iter().collect();
        if let Err(error) = self.owner.change(change) {
            return said::error(&error.to_string(), None);
        }
        self.part.channel.look.send_modify(|look| look.processor.clone_from(&name));
        let message = format!("Painting with {painter}");
        self.painter = Painter { processor: name, painter, message };
        said::processor_updated(&self.painter.processor)
    }
}
