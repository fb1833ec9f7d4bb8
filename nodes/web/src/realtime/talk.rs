//! A socket's conversation.

use super::visitors::{Visitor, Visitors};
use crate::site::Site;
use crate::socket::{Gone, Line, Word, code};
use crate::streams::{OpenError, Opening, Photo};
use bytes::Bytes;
use mirror_contract::now_ns;
use mirror_protocols::Changes;
use mirror_protocols::realtime::{Heard, Mode, Session, Status};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

/// A blank picture's side: the prompt alone is painted, and the encoder makes it as large as it has to be.
const BLANK: usize = 64;
/// How long a client that has nothing new to paint rests before it is asked again. Their page waits as long after a key.
const REST: Duration = Duration::from_millis(100);
/// How long a client whose camera is not ready rests before it is asked again. Their page answers at once for as long as its
/// camera starts: on one machine that would be thousands of messages a second.
const AGAIN: Duration = Duration::from_millis(50);
/// The farthest that a session without an end goes: a clock needs some time to look at.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Leads the conversation with a visitor until it ends.
pub async fn talk(site: Arc<Site>, visitors: Arc<Visitors>, id: Uuid, peer: Option<IpAddr>, mut line: Line) {
    let most = site.config.front.queue_max;
    let entered = if visitors.is_full(id, most) {
        Err(Status::Full)
    } else {
        let (name, key) = (format!("rt:{id}"), id.to_string());
        let opening = Opening { name: &name, key: &key, origin: "realtime", address: peer };
        let opened = site.streams.open(&opening).map_err(|error| match error {
            OpenError::Full(_) => Status::Full,
            error => Status::Error(error.to_string()),
        });
        opened.and_then(|owner| visitors.enter(id, owner, most).map_err(|_| Status::Full))
    };
    let place = match entered {
        Ok(place) => place,
        Err(status) => {
            let _ = line.say(&status.json()).await;
            return line.close(code::TRY_LATER, "no place").await;
        }
    };
    let talk = Talk {
        mode: site.config.front.mode,
        end: Instant::now() + site.config.front.session_max.unwrap_or(NEVER),
        visitor: place.visitor.clone(),
        last: None,
    };
    let end = talk.lead(&mut line).await;
    let (status, code, reason) = match end {
        End::Over => (Some(Status::Timeout), code::NORMAL, "timeout".to_owned()),
        End::Ended => (Some(Status::Error("the stream has ended".to_owned())), code::AWAY, "ended".to_owned()),
        End::Gone(Gone::Broken(code, reason)) => (Some(Status::Error(reason.clone())), code, reason),
        End::Gone(Gone::Closed | Gone::Silent) => (None, code::NORMAL, String::new()),
    };
    // Their page makes up a new number each time: nobody comes back to this stream.
    place.visitor.owner.end();
    drop(place);
    if let Some(status) = status {
        let _ = line.say(&status.json()).await;
    }
    line.close(code, &reason).await;
}

enum End {
    /// The time is over.
    Over,
    /// The stream has ended under it.
    Ended,
    /// The socket.
    Gone(Gone),
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

struct Talk {
    mode: Mode,
    end: Instant,
    visitor: Arc<Visitor>,
    /// What was painted last: the same words are not painted twice.
    last: Option<Changes>,
}

impl Talk {
    async fn lead(mut self, line: &mut Line) -> End {
        match self.go_on(line).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn go_on(&mut self, line: &mut Line) -> Result<std::convert::Infallible, End> {
        for status in [Status::Connected, Status::Wait, Status::SendFrame] {
            line.say(&status.json()).await?;
        }
        let mut session = Session::new(self.mode);
        let mut credits = self.visitor.owner.credits();
        let mut troubles = self.visitor.owner.troubles();
        let mut lookers = self.visitor.lookers.subscribe();
        // What the client owes: a picture for each time it was asked.
        let (mut is_asked, mut has_credit, mut rest) = (true, false, Instant::now());
        // When a client that had no picture is asked again.
        let mut again = None;
        loop {
            let wants = !is_asked && *lookers.borrow_and_update() > 0;
            if wants && has_credit && Instant::now() >= rest {
                line.say(&Status::SendFrame.json()).await?;
                (is_asked, has_credit) = (true, false);
            }
            tokio::select! {
                word = line.next() => {
                    let heard = match &word? {
                        Word::Text(text) => (session.text(text), None),
                        Word::Binary(bytes) => (session.binary(bytes.len()), Some(bytes.clone())),
                    };
                    match heard {
                        (Heard::Nothing, _) => {}
                        (Heard::Again, _) => again = Some(Instant::now() + AGAIN),
                        (Heard::Frame(changes), picture) => {
                            if self.paint(changes, picture)? {
                                // The picture has used it up.
                                has_credit = false;
                            } else {
                                // What it was asked under is still good.
                                (has_credit, rest) = (true, Instant::now() + REST);
                            }
                            line.say(&Status::Wait.json()).await?;
                            is_asked = false;
                        }
                        (Heard::Broken(reason), _) => return Err(Gone::Broken(code::INVALID, reason).into()),
                    }
                }
                more = credits.next(), if !has_credit => {
                    if !more {
                        return Err(End::Ended);
                    }
                    has_credit = true;
                }
                changed = troubles.changed() => {
                    if changed.is_ok() {
                        let text = troubles.borrow_and_update().1.clone();
                        return Err(Gone::Broken(code::INVALID, text).into());
                    }
                }
                _ = lookers.changed() => {}
                () = sleep_until(rest), if wants && has_credit => {}
                () = sleep_until(again.unwrap_or(self.end)), if again.is_some() => {
                    again = None;
                    line.say(&Status::SendFrame.json()).await?;
                }
                () = sleep_until(self.end) => return Err(End::Over),
            }
        }
    }

    /// Puts a picture in, to be painted with those parameters; `false`: it would be the same as the last one.
    fn paint(&mut self, mut changes: Changes, picture: Option<Bytes>) -> Result<bool, End> {
        if self.mode == Mode::Text {
            changes.insert("text_to_image".to_owned(), json!(true));
        }
        let broken = |text: String| End::Gone(Gone::Broken(code::INVALID, text));
        let is_new = self.last.as_ref() != Some(&changes);
        if is_new {
            self.visitor.owner.change(changes.clone()).map_err(|error| broken(error.to_string()))?;
            self.last = Some(changes);
        }
        let photo = match picture {
            Some(file) => Photo::File(file),
            None if is_new => Photo::Pixels { height: BLANK, width: BLANK, rgb: vec![127; BLANK * BLANK * 3].into() },
            None => return Ok(false),
        };
        self.visitor.owner.offer(photo, now_ns()).map_err(|error| broken(error.to_string()))?;
        Ok(true)
    }
}
