//! The keys: what each is called, its default, its line in the README and in `--help`.

use mirror_kit::Key;

/// Where Real-Time LCM's clients are served.
pub const REALTIME: Key = Key {
    name: "WEB_REALTIME",
    default: "7860",
    text: "Where clients of Real-Time LCM are served: a port (beside the page), an address with a port, or `off`.",
};
/// Where Live Diffusion's clients are served.
pub const LIVE: Key = Key { name: "WEB_LIVE", default: "8000", text: "The same for clients of Live Diffusion." };
/// Where DreamStream's clients are served. Its own server has no port: it ran on a platform that gives it an address.
pub const DREAM: Key = Key { name: "WEB_DREAM", default: "8001", text: "The same for clients of DreamStream." };
/// The secret of those who may come in.
pub const TOKEN: Key = Key {
    name: "WEB_TOKEN",
    default: "",
    text: "The access token, 8 letters or more: whoever has it comes in. Needed as soon as an address is open to the network.",
};
/// A file with the secret.
pub const TOKEN_FILE: Key = Key {
    name: "WEB_TOKEN_FILE",
    default: "",
    text: "A file that holds the access token: `mirror run` keeps it in one, because keys are seen in lists of processes.",
};
/// Whether everybody may come in.
pub const OPEN: Key =
    Key { name: "WEB_OPEN", default: "off", text: "`on`: open to the network without a token, for everybody." };
/// Other sites.
pub const ORIGINS: Key = Key {
    name: "WEB_ORIGINS",
    default: "",
    text: "Other sites whose pages may talk to the mirror, with `,` between: `https://art.example,http://10.0.0.5:3000`; `*` for all. Pages of this machine's own name always may.",
};
/// Whether TLS is spoken.
pub const TLS: Key = Key {
    name: "WEB_TLS",
    default: "off",
    text: "HTTPS, which phones need for their camera: `self-signed` (made when needed, kept in `.mirror/tls`), `on` with the two files below, or `off`. Files that are given are used, whatever is said here.",
};
/// The certificate.
pub const TLS_CERTIFICATE: Key =
    Key { name: "WEB_TLS_CERTIFICATE", default: "", text: "The certificate, PEM, with those between it and its root." };
/// Its key.
pub const TLS_KEY: Key = Key { name: "WEB_TLS_KEY", default: "", text: "Its private key, PEM." };
/// Visitors of Real-Time LCM.
pub const QUEUE_MAX: Key = Key {
    name: "WEB_QUEUE_MAX",
    default: "0",
    text: "How many visitors Real-Time LCM's listener takes at once, up to 1000: `8` or `8 visitors`. 0: as many as there are streams.",
};
/// How long a visitor of Real-Time LCM may stay.
pub const SESSION_MAX: Key = Key {
    name: "WEB_SESSION_MAX",
    default: "0s",
    text: "How long a session of Real-Time LCM may last, up to 86400 seconds. 0: as long as it likes.",
};
/// What a visitor of Real-Time LCM sends.
pub const REALTIME_MODE: Key = Key {
    name: "WEB_REALTIME_MODE",
    default: "image",
    text: "What Real-Time LCM's clients send: `image`, their camera's pictures, or `text`, prompts alone.",
};
/// Largest message.
pub const MESSAGE_MAX: Key =
    Key { name: "WEB_MESSAGE_MAX", default: "4MiB", text: "The largest message on a socket, from 1 to 64 MiB." };
/// Messages a second.
pub const MESSAGES_MAX: Key = Key {
    name: "WEB_MESSAGES_MAX",
    default: "240",
    text: "How many messages a second one socket may send, from 10 to 10000; four times as many at once.",
};
/// Requests a second.
pub const REQUESTS_MAX: Key = Key {
    name: "WEB_REQUESTS_MAX",
    default: "50",
    text: "How many requests a second one address may send, from 1 to 10000; four times as many at once. This machine itself is not counted.",
};
/// How long a socket may be silent.
pub const IDLE_MAX: Key = Key {
    name: "WEB_IDLE_MAX",
    default: "60s",
    text: "How long a socket may be silent, and a message may take to leave, from 1 to 3600 seconds. It is asked before that whether it is there.",
};
