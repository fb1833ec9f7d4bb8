//! What `CAMERA_SOURCE` says.

use eyre::{Result, bail};
use std::fmt;
use std::path::PathBuf;

/// Where pictures are to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The first camera that works, else the bundled clip.
    Auto,
    /// The moving test picture.
    Pattern,
    /// A camera of this machine: `/dev/video2`.
    Device(PathBuf),
    /// A stream of the network: `rtsp://…`, `http://…`.
    Address(String),
    /// A film, a picture, or a folder of pictures.
    Path(PathBuf),
}

/// Schemes of addresses that are streams.
const SCHEMES: &[&str] = &["rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt"];

/// What can stand there, for errors.
pub const KINDS: &str = "auto, pattern, a camera (0, /dev/video2), a film, a picture, a folder of pictures, \
                         rtsp://… or http://…";

impl Source {
    /// Reads the text. Nothing is looked up: whether a path or an address is there shows when it is opened.
    ///
    /// # Errors
    /// An empty text, or an address of an unknown scheme.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            bail!("CAMERA_SOURCE is empty; it can be {KINDS}");
        }
        if text.contains('\0') {
            bail!("CAMERA_SOURCE holds a NUL character; it can be {KINDS}");
        }
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        if text.eq_ignore_ascii_case("pattern") {
            return Ok(Self::Pattern);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Device(format!("/dev/video{text}").into()));
        }
        if text.starts_with("/dev/") {
            return Ok(Self::Device(text.into()));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let scheme = scheme.to_ascii_lowercase();
            if scheme == "file" {
                return Ok(Self::Path(rest.into()));
            }
            if !SCHEMES.contains(&scheme.as_str()) {
                bail!(
                    "CAMERA_SOURCE=\"{}\": {scheme}:// is no stream that can be read; it can be {KINDS}",
                    Self::Address(text.into())
                );
            }
            if rest.is_empty() {
                bail!("CAMERA_SOURCE=\"{text}\" names no machine; it can be {KINDS}");
            }
            return Ok(Self::Address(text.to_owned()));
        }
        Ok(Self::Path(text.into()))
    }
}

impl fmt::Display for Source {
    /// As people read it: without the password that an address may hold.
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => to.write_str("auto"),
            Self::Pattern => to.write_str("pattern"),
            Self::Device(path) | Self::Path(path) => write!(to, "{}", path.display()),
            Self::Address(address) => {
                let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
                let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
                match authority.rfind('@') {
                    Some(at) => write!(to, "{scheme}://…{}", &rest[at..]),
                    None => to.write_str(address),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Source {
        Source::parse(text).expect("a source")
    }

    #[test]
    fn every_kind_is_told_apart() {
        assert_eq!(parsed("auto"), Source::Auto);
        assert_eq!(parsed(" Pattern "), Source::Pattern);
        assert_eq!(parsed("0"), Source::Device("/dev/video0".into()));
        assert_eq!(parsed("/dev/video2"), Source::Device("/dev/video2".into()));
        assert_eq!(parsed("clip.mp4"), Source::Path("clip.mp4".into()));
        assert_eq!(parsed("my pictures/"), Source::Path("my pictures/".into()));
        assert_eq!(parsed("file:///tmp/clip.mp4"), Source::Path("/tmp/clip.mp4".into()));
        assert_eq!(parsed("rtsp://10.0.0.9/live"), Source::Address("rtsp://10.0.0.9/live".into()));
        assert_eq!(parsed("HTTP://10.0.0.9/a.mjpg"), Source::Address("HTTP://10.0.0.9/a.mjpg".into()));
    }

    #[test]
    fn an_empty_source_is_refused_with_what_it_can_be() {
        let error = Source::parse("  ").expect_err("empty").to_string();
        assert_eq!(error, format!("CAMERA_SOURCE is empty; it can be {KINDS}"));
    }

    #[test]
    fn an_address_of_an_unknown_scheme_is_refused_by_name() {
        let error = Source::parse("gopher://host/film").expect_err("no stream").to_string();
        assert!(error.starts_with("CAMERA_SOURCE=\"gopher://host/film\": gopher:// is no stream"), "{error}");
        assert!(Source::parse("rtsp://").is_err());
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(parsed("rtsp://me:secret@cam/live?a=b@c").to_string(), "rtsp://…@cam/live?a=b@c");
        assert_eq!(parsed("http://cam/live@2").to_string(), "http://cam/live@2");
        let error = Source::parse("ftp://me:secret@host/a").expect_err("no stream").to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Source::parse(&text).map(|source| source.to_string());
        }
    }
}
