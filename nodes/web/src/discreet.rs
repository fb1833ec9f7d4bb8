//! What people on the network need not know: where files lie on this machine, and passwords of cameras.

use std::borrow::Cow;

/// The text without the folders of absolute paths and without the names and passwords in addresses:
/// `film /home/anna/clip.mp4` → `film clip.mp4`, `rtsp://me:secret@camera/1` → `rtsp://camera/1`.
#[must_use]
pub fn discreet(text: &str) -> Cow<'_, str> {
    if !text.contains('/') {
        return Cow::Borrowed(text);
    }
    let ends = |letter: char| letter.is_whitespace() || "\"'`()[]{}<>,;".contains(letter);
    let mut discreet = String::with_capacity(text.len());
    for piece in text.split_inclusive(ends) {
        let word = piece.trim_end_matches(ends);
        discreet.push_str(&bare(word));
        discreet.push_str(&piece[word.len()..]);
    }
    Cow::Owned(discreet)
}

fn bare(word: &str) -> Cow<'_, str> {
    if let Some((scheme, rest)) = word.split_once("://") {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        return match host.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{host}{path}").into(),
            None => word.into(),
        };
    }
    match word.rsplit_once('/') {
        // `/seed` is a command of the chat, and `pictures/s` a unit.
        Some((folders, name)) if word.starts_with('/') && !folders.is_empty() && !name.is_empty() => name.into(),
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_passwords_are_left_out_and_everything_else_stays() {
        for (text, expected) in [
            ("film /home/anna/clip.mp4, 30.000 fps", "film clip.mp4, 30.000 fps"),
            ("no operator (/srv/mirror/operator.so is not there)", "no operator (operator.so is not there)"),
            ("camera rtsp://me:secret@camera.local:554/live/1", "camera rtsp://camera.local:554/live/1"),
            ("the page is at http://127.0.0.1:8080", "the page is at http://127.0.0.1:8080"),
            ("camera /dev/video0", "camera video0"),
            ("/seed takes a number", "/seed takes a number"),
            ("30 pictures/s of models/starter", "30 pictures/s of models/starter"),
            ("neon lights", "neon lights"),
            ("", ""),
        ] {
            assert_eq!(discreet(text), expected);
        }
    }
}
