//! The files of the page, built into the program: it needs nothing beside itself.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;

/// Path, type and content of each file.
const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("../../../web/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("../../../web/style.css")),
    ("/script.js", "text/javascript; charset=utf-8", include_str!("../../../web/script.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../../../web/icon.svg")),
];

/// Adds the files to a router.
pub fn serve<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    FILES.iter().fold(router, |router, &(path, kind, content)| {
        // A new program may bring a new page: the browser must ask.
        router.route(path, get(move || async move { ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], content) }))
    })
}
