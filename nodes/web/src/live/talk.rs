//! A socket's conversation.

use super::hall::Hall;
use crate::socket::{Gone, Line, Word, code};
use crate::streams::{Opening, Owner, Photo, PhotoError};
use mirror_contract::{Settings, now_ns};
use mirror_protocols::Changes;
use mirror_protocols::live::{Heard, hear, said};
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// Seconds since the Unix epoch.
fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// Leads the conversation with a client until it ends.
pub async fn talk(hall: Arc<Hall>, peer: Option<IpAddr>, mut line: Line) {
    let id = Uuid::new_v4().to_string();
    let name = format!("ld:{id}");
    let opened = hall.site.streams.open(&Opening { name: &name, key: &id, origin: "live", address: peer });
    let owner = match opened {
        Ok(owner) => Arc::new(owner),
        Err(error) => {
            let _ = line.say(&said::error("Server is full", &error.to_string())).await;
            return line.close(code::TRY_LATER, "no place").await;
        }
    };
    let gone = match hall.enter(&owner) {
        Ok(()) => go_on(&hall, &owner, &mut line).await.unwrap_or_else(|gone| gone),
        Err(error) => Gone::Broken(code::TRY_LATER, error.to_string()),
    };
    // Each connection is a stream of its own: nobody comes back to this one.
    owner.end();
    match gone {
        Gone::Broken(code, reason) => {
            let _ = line.say(&said::error("Connection closed", &reason)).await;
            line.close(code, &reason).await;
        }
        Gone::Closed | Gone::Silent => line.close(code::NORMAL, "").await,
    }
}

async fn go_on(hall: &Hall, owner: &Owner, line: &mut Line) -> Result<Gone, Gone> {
    let model = hall.current().map(|processor| processor.name.clone());
    line.say(&said::status(model.as_deref(), "Connected to server")).await?;
    let mut viewer = owner.watch();
    let mut troubles = owner.troubles();
    // Accepted, and not in force yet.
    let mut coming = Changes::new();
    loop {
        tokio::select! {
            word = line.next() => match word? {
                Word::Text(text) => {
                    let answer = match hear(&text) {
                        Heard::Ping => said::pong(seconds(now_ns())),
                        Heard::Refused(answer) => answer,
                        Heard::Settings(changes) => match owner.change(changes.clone()) {
                            Ok(_) => {
                                coming.extend(changes);
                                said::settings_now(&soon(&owner.settings(), &mut coming))
                            }
                            Err(error) => said::error("Invalid settings", &error.to_string()),
                        },
                    };
                    line.say(&answer).await?;
                }
                // While one is painted the newest of those that come waits: older ones are dropped without a word.
                Word::Binary(file) => match owner.offer(Photo::File(file), now_ns()) {
                    Ok(_) => {}
                    Err(PhotoError::Ended) => return Ok(ended()),
                    Err(error) => line.say(&said::error("Error processing frame", &error.to_string())).await?,
                },
            },
            picture = viewer.next() => {
                let Some(picture) = picture else { return Ok(ended()) };
                let (shown, taken) = (picture.shown_ns, picture.stamp.captured_ns);
                let sides = [picture.width, picture.height];
                line.say(&said::processed_frame(sides, seconds(shown), seconds((shown - taken).max(0)))).await?;
                line.send(picture.jpeg.clone()).await?;
            }
            changed = troubles.changed() => {
                if changed.is_err() {
                    return Ok(ended());
                }
                let text = troubles.borrow_and_update().1.clone();
                line.say(&said::error("Error processing frame", &text)).await?;
            }
        }
    }
}

/// The settings as they will be when everything that was accepted is in force.
fn soon(now: &Settings, coming: &mut Changes) -> Settings {
    let (mut settings, values) = (now.clone(), now.values());
    coming.retain(|name, value| values.get(name) != Some(value));
    for (name, value) in coming {
        // They were accepted, so they are allowed.
        let _ = settings.set(name, value);
    }
    settings
}

fn ended() -> Gone {
    Gone::Broken(code::AWAY, "the stream has ended".to_owned())
}
