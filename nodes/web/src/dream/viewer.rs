//! A viewer's conversation, and what both roles are told.

use super::broadcaster::Painter;
use super::studio::{Channel, Look, Part, Studio};
use crate::press::Picture;
use crate::socket::{Gone, Line, Word, code};
use crate::streams::Viewer;
use mirror_protocols::dream::said::State;
use mirror_protocols::dream::{Ask, Role, hear, said};
use serde_json::Value;
use std::sync::Arc;

/// The next picture; none where nobody watches.
pub async fn next(viewer: &mut Option<Viewer>) -> Option<Arc<Picture>> {
    match viewer {
        Some(viewer) => viewer.next().await,
        None => std::future::pending().await,
    }
}

/// A painted picture as clients read it.
pub fn frame(channel: &Channel, picture: &Picture) -> Value {
    let look = channel.look.borrow();
    let prompt = picture.painting.as_ref().map_or(look.prompt.as_str(), |painting| painting.prompt.as_str());
    said::frame(&said::Painted {
        stream: &channel.id,
        jpeg: &picture.jpeg,
        timestamp_ms: picture.shown_ns / 1_000_000,
        processor: &look.processor,
        prompt,
        strength: picture.settings.strength,
    })
}

/// The prompt that paints a channel now.
pub fn style(channel: &Channel) -> Value {
    let look = channel.look.borrow();
    said::style_updated(&look.prompt, &look.processor)
}

/// Whether a channel is live: that of the name, or the own one.
pub fn status(studio: &Studio, own: &Channel, id: Option<String>) -> Value {
    match id {
        Some(id) => {
            said::stream_status(&id.chars().take(super::studio::ID_CHARS).collect::<String>(), studio.state(&id))
        }
        None => said::stream_status(&own.id, own.state()),
    }
}

/// Says farewell.
pub async fn part(mut line: Line, gone: Gone) {
    match gone {
        Gone::Broken(code::NORMAL, _) | Gone::Closed | Gone::Silent => line.close(code::NORMAL, "").await,
        Gone::Broken(code, reason) => {
            let _ = line.say(&said::error("Connection closed", Some(&reason))).await;
            line.close(code, &reason).await;
        }
    }
}

/// Leads the conversation until it ends.
pub async fn talk(studio: Arc<Studio>, join: Part, painter: Painter, mut line: Line) {
    let gone = lead(&studio, &join.channel, &painter, &mut line).await;
    drop(join);
    part(line, gone).await;
}

async fn lead(studio: &Studio, channel: &Channel, painter: &Painter, line: &mut Line) -> Gone {
    let mut looks = channel.look.subscribe();
    let mut last = looks.borrow_and_update().clone();
    let mut talk = Talk { studio, channel, painter, viewer: None, newest: None };
    match talk.begin(&last, line).await {
        Ok(()) => {}
        Err(gone) => return gone,
    }
    loop {
        let done = tokio::select! {
            word = line.next() => match word {
                Ok(word) => match talk.answer(word) {
                    Some(answer) => line.say(&answer).await,
                    None => Ok(()),
                },
                Err(gone) => Err(gone),
            },
            picture = next(&mut talk.viewer) => match picture {
                Some(picture) => {
                    talk.newest = Some(picture.clone());
                    line.say(&frame(channel, &picture)).await
                }
                // Why, the look will say.
                None => { talk.viewer = None; Ok(()) }
            },
            changed = looks.changed() => {
                if changed.is_err() {
                    return Gone::Closed;
                }
                let now = looks.borrow_and_update().clone();
                let told = talk.tell(&last, &now, line).await;
                last = now;
                told
            }
        };
        if let Err(gone) = done {
            return gone;
        }
    }
}

struct Talk<'a> {
    studio: &'a Studio,
    channel: &'a Channel,
    painter: &'a Painter,
    viewer: Option<Viewer>,
    newest: Option<Arc<Picture>>,
}

impl Talk<'_> {
    async fn begin(&mut self, look: &Look, line: &mut Line) -> Result<(), Gone> {
        let info = self.info();
        line.say(&info).await?;
        line.say(&said::stream_status(&self.channel.id, look.state)).await?;
        if look.state == State::Active {
            self.watch()?;
            line.say(&style(self.channel)).await?;
        }
        Ok(())
    }

    fn info(&self) -> Value {
        let look = self.channel.look.borrow();
        // What a broadcaster has chosen counts more than what a viewer asked for.
        if look.state == State::Active {
            said::processor_info(&look.processor, &format!("Painting with {}", look.processor))
        } else {
            said::processor_info(&self.painter.processor, &self.painter.message)
        }
    }

    fn watch(&mut self) -> Result<(), Gone> {
        match self.studio.site.streams.watch(&self.channel.stream) {
            Ok(viewer) => self.viewer = Some(viewer),
            Err(crate::streams::WatchError::Full) => {
                return Err(Gone::Broken(code::TRY_LATER, "all places are taken".to_owned()));
            }
            // It has ended in this moment: the look will say so.
            Err(_) => self.viewer = None,
        }
        Ok(())
    }

    async fn tell(&mut self, last: &Look, now: &Look, line: &mut Line) -> Result<(), Gone> {
        if now.state == State::Active && (now.life != last.life || last.state != State::Active) {
            self.watch()?;
            line.say(&said::stream_status(&self.channel.id, now.state)).await?;
            return line.say(&style(self.channel)).await;
        }
        if now.state == State::Ended && last.state == State::Active {
            self.viewer = None;
            return line.say(&said::stream_ended(&self.channel.id)).await;
        }
        if now.prompt != last.prompt || now.processor != last.processor {
            return line.say(&style(self.channel)).await;
        }
        Ok(())
    }

    fn answer(&self, word: Word) -> Option<Value> {
        let Word::Text(text) = word else {
            return Some(said::error("Binary messages are not understood", Some("send {\"type\": \"ping\"}")));
        };
        Some(match hear(Role::Viewer, &text) {
            Err(answer) => answer,
            Ok(Ask::Nothing) => return None,
            Ok(Ask::Ping) => said::pong(),
            Ok(Ask::Style) => style(self.channel),
            Ok(Ask::ProcessorInfo) => self.info(),
            Ok(Ask::Status(id)) => status(self.studio, self.channel, id),
            Ok(Ask::LatestFrame) => said::latest_frame(self.newest.as_ref().map(|picture| &*picture.jpeg)),
            // The others are refused where they are read.
            Ok(_) => said::error("This is for broadcasters", None),
        })
    }
}
