//! Pictures in texts: Base64, data URLs.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What a JPEG's data URL begins with.
const JPEG: &str = "data:image/jpeg;base64,";

/// Canvases pad, some libraries do not.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The file in a text: Base64, alone or in a data URL (RFC 2397). Lines may be broken.
///
/// # Errors
/// A text that is neither: says what would be right.
pub fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    let text = text.trim();
    let body = match text.strip_prefix("data:") {
        None => text,
        Some(rest) => {
            let (head, body) = rest.split_once(',').ok_or("a data URL needs a comma before its data")?;
            if !head.ends_with(";base64") {
                return Err("a data URL of a picture must be Base64: data:image/jpeg;base64,…");
            }
            body
        }
    };
    if body.is_empty() {
        return Err("the picture is empty");
    }
    let has_breaks = body.bytes().any(|byte| byte.is_ascii_whitespace());
    let joined: String;
    let body = if has_breaks {
        joined = body.split_ascii_whitespace().collect();
        &joined
    } else {
        body
    };
    ENGINE.decode(body).map_err(|_| "the picture is not Base64")
}

/// A JPEG as a data URL.
#[must_use]
pub fn encode(jpeg: &[u8]) -> String {
    let mut url = String::with_capacity(JPEG.len() + jpeg.len().div_ceil(3) * 4);
    url.push_str(JPEG);
    ENGINE.encode_string(jpeg, &mut url);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_picture_comes_bare_in_a_data_url_without_padding_and_in_lines() {
        for text in
            ["/9j/4A==", "/9j/4A", "data:image/jpeg;base64,/9j/4A==", "data:image/webp;base64,/9j/4A", " /9j\n/4A== "]
        {
            assert_eq!(decode(text).as_deref(), Ok(&[0xff, 0xd8, 0xff, 0xe0][..]), "{text}");
        }
    }

    #[test]
    fn what_is_no_picture_says_why() {
        for text in ["", "data:image/jpeg;base64,", "data:image/jpeg;base64", "data:image/jpeg,abc", "§§§"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_file_comes_back_from_its_data_url(file in proptest::collection::vec(any::<u8>(), 1..300)) {
            prop_assert_eq!(decode(&encode(&file)).expect("a data URL"), file);
        }
    }
}
