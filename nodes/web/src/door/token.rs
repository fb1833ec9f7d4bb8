//! The access token: recognised, found in a request, taken out of an address.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The token in an address.
const QUERY: &str = "token=";

/// The access token: only what is needed to recognise it.
#[derive(Debug)]
pub(super) struct Token {
    digest: [u8; 32],
    pub(super) pass: String,
}

impl Token {
    pub(super) fn of(token: &str) -> Self {
        let pass = Sha256::digest(format!("mirror pass {token}"));
        let pass = pass.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self { digest: Sha256::digest(token).into(), pass }
    }

    /// Compares digests: how long that takes says nothing about the token.
    pub(super) fn is(&self, token: &str) -> bool {
        <[u8; 32]>::from(Sha256::digest(token)) == self.digest
    }

    pub(super) fn is_pass(&self, pass: &str) -> bool {
        Sha256::digest(pass) == Sha256::digest(&self.pass)
    }
}

/// The token of an address: `/?token=…`.
pub(super) fn in_query(uri: &Uri) -> Option<String> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(QUERY)).map(str::to_owned)
}

/// The token of a header: `Authorization: Bearer …`, or Basic with the token as the password, which every browser asks for.
pub(super) fn in_header(headers: &HeaderMap) -> Option<String> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(rest.trim()).ok())??;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

/// The address without the token in it, so that it is in no history and in no shared link.
pub(super) fn without_token(uri: &Uri) -> String {
    let rest: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with(QUERY)).collect();
    // Two slashes at the start would name another machine.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    if rest.is_empty() { path } else { format!("{path}?{}", rest.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_out_of_the_address_and_the_rest_stays() {
        let uri = |text: &str| without_token(&text.parse::<Uri>().expect("an address"));
        assert_eq!(uri("/?token=x"), "/");
        assert_eq!(uri("/watch?a=1&token=x&b=2"), "/watch?a=1&b=2");
        assert_eq!(uri("//evil.example/?token=x"), "/evil.example/");
    }
}
