//! A page's stream of pictures (`multipart/x-mixed-replace`, as cameras and browsers have it), taken apart.

use eyre::{Result, bail, eyre};
use std::io::{BufRead, Read};

/// Longest line of a part's head; a stream that has longer ones is none of ours.
const LINE_MAX: u64 = 4096;
/// Largest picture: a JPEG of 1024 × 1024 at the best quality has about 2 MiB.
const PICTURE_MAX: usize = 64 << 20;

/// Reads the next picture into `jpeg`. `false`: the stream has ended between two pictures.
///
/// # Errors
/// The stream is cut short, or is no stream of pictures.
pub fn next(stream: &mut impl BufRead, jpeg: &mut Vec<u8>) -> Result<bool> {
    let (mut line, mut len, mut begun) = (String::new(), None, false);
    loop {
        line.clear();
        if stream.by_ref().take(LINE_MAX).read_line(&mut line)? == 0 {
            return if begun { Err(eyre!("the stream is cut short")) } else { Ok(false) };
        }
        // A line that does not end is the last one of a stream that is cut short; lines of a head have a colon.
        begun |= line.contains(':') || !line.ends_with('\n');
        let text = line.trim_end();
        match (text, len) {
            // The empty line after the head; before it there is one after the picture before.
            ("", Some(len)) => {
                jpeg.resize(len, 0);
                stream.read_exact(jpeg)?;
                return Ok(true);
            }
            _ if line.len() as u64 == LINE_MAX => bail!("this is no stream of pictures"),
            _ => {
                let (key, value) = text.split_once(':').unwrap_or((text, ""));
                if key.eq_ignore_ascii_case("content-length") {
                    let given = value.trim().parse().ok().filter(|given: &usize| (1..=PICTURE_MAX).contains(given));
                    len = Some(given.ok_or_else(|| eyre!("the stream has a picture of \"{}\" bytes", value.trim()))?);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(picture: &[u8]) -> Vec<u8> {
        let head = format!("Content-Type: image/jpeg\r\nContent-Length: {}\r\nX-Frame-Id: 7\r\n\r\n", picture.len());
        [head.as_bytes(), picture, b"\r\n--mirror\r\n"].concat()
    }

    #[test]
    fn pictures_come_out_as_they_went_in_whatever_is_in_them() -> Result<()> {
        let pictures: [&[u8]; 3] = [b"one", b"Content-Length: 9\r\n\r\n--mirror\r\n", b"\n"];
        let stream = [b"--mirror\r\n".to_vec(), pictures.iter().flat_map(|picture| part(picture)).collect()].concat();
        let (mut stream, mut jpeg) = (&stream[..], Vec::new());
        for picture in pictures {
            assert!(next(&mut stream, &mut jpeg)?);
            assert_eq!(jpeg, picture);
        }
        assert!(!next(&mut stream, &mut jpeg)?);
        Ok(())
    }

    #[test]
    fn what_is_cut_short_or_no_stream_is_an_error_and_not_a_picture() {
        let whole = [b"--mirror\r\n".to_vec(), part(b"picture")].concat();
        for len in 30..whole.len() - b"\r\n--mirror\r\n".len() {
            assert!(next(&mut &whole[..len], &mut Vec::new()).is_err(), "{len} bytes of it");
        }
        for text in ["Content-Length: much\r\n\r\n", "Content-Length: 99999999999\r\n\r\n", &"x".repeat(5000)] {
            assert!(next(&mut text.as_bytes(), &mut Vec::new()).is_err(), "{text}");
        }
    }
}
