//! `/openapi.json`, and the pages that show it: Swagger UI at `/docs`, ReDoc at `/redoc`. Nothing is loaded from elsewhere.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::OpenApi;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// What the pages are made of: see `docs/README.md`. They stay compressed: every browser takes them so.
const FILES: [(&str, &str, &[u8]); 3] = [
    ("/docs/swagger-ui-bundle.js", SCRIPT, include_bytes!("../docs/swagger-ui-bundle.js.gz")),
    ("/docs/swagger-ui.css", STYLE, include_bytes!("../docs/swagger-ui.css.gz")),
    ("/docs/redoc.standalone.js", SCRIPT, include_bytes!("../docs/redoc.standalone.js.gz")),
];

const START_SWAGGER: &str = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true });\n";
const START_REDOC: &str = "Redoc.init('/openapi.json', { disableSearch: true, hideDownloadButton: false }, document.getElementById('api'));\n";

/// Both lay out their pages with styles in the document; ReDoc draws with images of its own. Scripts are ours alone.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

fn page(title: &str, head: &str, scripts: [&str; 2]) -> String {
    let scripts: String = scripts.iter().map(|script| format!("<script src=\"{script}\"></script>\n")).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n{head}\n<body>\n<div id=\"api\"></div>\n{scripts}</body>\n</html>\n"
    )
}

/// The three addresses for that description.
pub fn serve<S: Clone + Send + Sync + 'static>(api: &OpenApi) -> Router<S> {
    let title = &api.info.title;
    let swagger = page(
        title,
        "<link rel=\"stylesheet\" href=\"/docs/swagger-ui.css\">",
        ["/docs/swagger-ui-bundle.js", "/docs/swagger.js"],
    );
    let redoc = page(title, "", ["/docs/redoc.standalone.js", "/docs/redoc.js"]);
    let html = "text/html; charset=utf-8";
    // A description that cannot be written is a fault of the program, which its first test finds.
    let json = api.to_pretty_json().unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    let texts = [
        ("/docs", html, swagger),
        ("/redoc", html, redoc),
        ("/docs/swagger.js", SCRIPT, START_SWAGGER.to_owned()),
        ("/docs/redoc.js", SCRIPT, START_REDOC.to_owned()),
        ("/openapi.json", "application/json", json),
    ];
    let router = texts.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(async move || text_of(kind, text.clone())))
    });
    FILES.into_iter().fold(router, |router, (path, kind, file)| {
        router.route(
            path,
            get(async move || {
                ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=86400"), (CONTENT_ENCODING, "gzip")], file)
            }),
        )
    })
}

fn text_of(kind: &'static str, text: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache"), (CONTENT_SECURITY_POLICY, POLICY)], text)
}
