//! The files of the page, built into the program: it needs nothing beside itself.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;

/// The type of scripts.
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, type and content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("../../../web/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("../../../web/style.css")),
    ("/script.js", SCRIPT, include_str!("../../../web/script.js")),
    ("/camera.js", SCRIPT, include_str!("../../../web/camera.js")),
    ("/dom.js", SCRIPT, include_str!("../../../web/dom.js")),
    ("/figures.js", SCRIPT, include_str!("../../../web/figures.js")),
    ("/form.js", SCRIPT, include_str!("../../../web/form.js")),
    ("/listen.js", SCRIPT, include_str!("../../../web/listen.js")),
    ("/microphone.js", SCRIPT, include_str!("../../../web/microphone.js")),
    ("/notices.js", SCRIPT, include_str!("../../../web/notices.js")),
    ("/settings.js", SCRIPT, include_str!("../../../web/settings.js")),
    ("/share.js", SCRIPT, include_str!("../../../web/share.js")),
    ("/socket.js", SCRIPT, include_str!("../../../web/socket.js")),
    ("/stage.js", SCRIPT, include_str!("../../../web/stage.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../../../web/icon.svg")),
];

/// Adds the files to a router.
pub fn serve<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    FILES.iter().fold(router, |router, &(path, kind, content)| {
        // A new program may bring a new page: the browser must ask.
        router.route(path, get(move || async move { ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], content) }))
    })
}
