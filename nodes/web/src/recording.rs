//! A film of what the page shows, kept by the mirror for whoever runs it: `out/recordings/mirror-2026-11-21T17-30-00Z.mp4`.
//!
//! The button of the page is another thing: it films what one visitor sees, in that visitor's browser, and leaves the file there.
//! This one stays on the mirror's disk. So it is for those who are trusted with that (this machine, and whoever has the access
//! token; not everybody, where everybody may come in), and all pages say that it is under way.
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/recording` | how the recording is: [`Report`] |
//! | `POST /api/recording {"recording": true}` | the same, once it has begun; 403 for those who are not trusted, 409 if one is under way, 507 if the disk is full |
//! | `POST /api/recording {"recording": false}` | the same, once the film is whole |
//!
//! The program `film` makes it, in a process of its own: it looks at the page as a browser does, so that a film costs the mirror
//! what one more viewer costs, and nothing that happens to it happens to the page. It ends with this process at the latest.

use crate::check::Faults;
use crate::config::Config;
use crate::routes::{NO_STORE, refuse};
use crate::server::Peer;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use eyre::{Result, WrapErr, eyre};
use mirror_kit::words::{BEGUN, FINISHED, RECORDED};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use utoipa::ToSchema;

/// How long a film may take to begin and to end; less than a request may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// What somebody wants.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    recording: bool,
}

/// How the recording is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// It is under way.
    pub recording: bool,
    /// Its file, or that of the last one, seen from the mirror's folder.
    pub file: Option<String>,
    /// How far it is, or was: `12 s, 340 pictures`.
    pub text: String,
    /// What is wrong with it: the disk is full, or it could not begin.
    pub fault: Option<String>,
}

/// Where films are made.
pub struct Desk {
    program: PathBuf,
    url: String,
    /// Whoever comes in has shown the access token.
    trusts_all: bool,
    /// The input of the program that makes one: it ends when this is dropped.
    input: Mutex<Option<ChildStdin>>,
    report: watch::Sender<Report>,
}

/// The addresses of a desk.
pub fn routes<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>) -> Router<S> {
    Router::new().route("/api/recording", get(status).post(change)).with_state(desk)
}

/// How the recording of the page is.
#[utoipa::path(get, path = "/api/recording", operation_id = "recording", tag = "recording", responses((status = 200, body = Report, description = "what was asked for")))]
pub(crate) async fn status(State(desk): State<Arc<Desk>>) -> Response {
    answer(desk.report.borrow().clone())
}

fn answer(report: Report) -> Response {
    ([NO_STORE], Json(report)).into_response()
}

/// Begins or ends a recording of the page: answers when it has begun, or when its file is whole.
#[utoipa::path(
    post, path = "/api/recording", operation_id = "record", tag = "recording", request_body = Wish,
    responses(
        (status = 200, body = Report, description = "what was asked for"),
        (status = 400, body = Faults, description = "no JSON"),
        (status = 403, body = Faults, description = "everybody may come in here, and record on the mirror's own machine only"),
        (status = 409, body = Faults, description = "one is under way"),
        (status = 413, body = Faults, description = "the body is too large"),
        (status = 415, body = Faults, description = "the body is no JSON"),
        (status = 422, body = Faults, description = "the body is of another form"),
        (status = 500, body = Faults, description = "it could not begin"),
        (status = 504, body = Faults, description = "it takes long"),
        (status = 507, body = Faults, description = "the disk is full"),
    )
)]
pub(crate) async fn change(
    State(desk): State<Arc<Desk>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    wish: Result<Json<Wish>, JsonRejection>,
) -> Response {
    let is_here = peer.is_some_and(|Extension(peer)| peer.is_here(&headers));
    if !(is_here || desk.trusts_all) {
        let text = "the mirror records for whoever runs it, from its own machine; the page's own button films what you see, for you";
        return refuse(StatusCode::FORBIDDEN, text);
    }
    let wish = match wish {
        Ok(Json(wish)) => wish,
        Err(error) => return refuse(error.status(), &format!("send {{\"recording\": true}} or false: {error}")),
    };
    if wish.recording {
        match desk.begin() {
            Ok(true) => {}
            Ok(false) => return refuse(StatusCode::CONFLICT, "a recording is under way: end it first"),
            Err(error) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}")),
        }
    } else {
        desk.end();
    }
    // One that could not begin has ended, with the reason.
    let mut reports = desk.report.subscribe();
    let settled = |report: &Report| report.recording == wish.recording || report.fault.is_some();
    let Ok(Ok(report)) = timeout(PATIENCE, reports.wait_for(settled)).await.map(|report| report.map(|it| it.clone()))
    else {
        return refuse(StatusCode::GATEWAY_TIMEOUT, "the recording takes long: ask again how it is");
    };
    match report.fault.as_ref().filter(|_| wish.recording) {
        Some(fault) if fault.ends_with("make room") => refuse(StatusCode::INSUFFICIENT_STORAGE, fault),
        Some(fault) => refuse(StatusCode::INTERNAL_SERVER_ERROR, fault),
        None => answer(report),
    }
}

impl Desk {
    /// The desk of a page that is served as the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        // One listens on "any address", but speaks to one.
        let mut address = config.address;
        if address.ip().is_unspecified() {
            let is_old = address.is_ipv4();
            address.set_ip(if is_old { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        let program = std::env::current_exe().map(|own| own.with_file_name("film")).unwrap_or_default();
        Self::new(program, format!("http://{address}"), config.front.token.is_some())
    }

    fn new(program: PathBuf, url: String, trusts_all: bool) -> Self {
        Self { program, url, trusts_all, input: Mutex::default(), report: watch::Sender::default() }
    }

    /// Whether a film is under way.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.report.borrow().recording
    }

    /// Begins a film. `false`: one is under way.
    fn begin(self: &Arc<Self>) -> Result<bool> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        if input.is_some() || self.report.borrow().recording {
            return Ok(false);
        }
        let mut command = Command::new(&self.program);
        command.args(["--piped", "--url", &self.url]);
        // It is no node: a mirror that starts beside this one would take it for one that has lost its dora.
        command.env_remove("DORA_NODE_CONFIG");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.wrap_err_with(|| format!("{} cannot be started", self.program.display()))?;
        *input = child.stdin.take();
        self.report.send_replace(Report::default());
        let desk = Arc::clone(self);
        thread::Builder::new().name("recording".to_owned()).spawn(move || desk.follow(child))?;
        Ok(true)
    }

    /// Ends the film that is under way, if there is one.
    fn end(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Listens to the program until it has ended.
    fn follow(&self, mut child: Child) {
        let said = child.stdout.take().map(BufReader::new);
        for line in said.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            self.report.send_modify(|report| {
                if let Some(file) = line.strip_prefix(BEGUN) {
                    (report.recording, report.file) = (true, Some(file.to_owned()));
                } else if let Some(text) = line.strip_prefix(RECORDED) {
                    text.clone_into(&mut report.text);
                } else if let Some(last) = line.strip_prefix(FINISHED) {
                    let (text, fault) = last.split_once("; ").map_or((last, None), |(text, fault)| (text, Some(fault)));
                    (report.text, report.fault) = (text.to_owned(), fault.map(str::to_owned));
                }
            });
        }
        let fault = fault(child).err().map(|error| format!("{error:#}"));
        self.end();
        self.report.send_modify(|report| {
            report.recording = false;
            report.fault = fault.or(report.fault.take());
            match &report.fault {
                Some(fault) => tracing::warn!("recording: {fault}"),
                None => tracing::info!("recorded {}: {}", report.file.as_deref().unwrap_or_default(), report.text),
            }
        });
    }
}

/// Whether the program has ended well.
fn fault(mut child: Child) -> Result<()> {
    let mut said = String::new();
    child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said)).transpose()?;
    match child.wait()? {
        status if status.success() => Ok(()),
        status if said.trim().is_empty() => Err(eyre!("the program that records has ended: {status}")),
        // FFmpeg may have said something before.
        _ => Err(eyre!("{}", said.trim().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::http::header::CONTENT_TYPE;
    use serde_json::Value;
    use std::os::unix::fs::PermissionsExt;
    use tower::ServiceExt;

    /// A page whose program is that script.
    fn page(folder: &tempfile::TempDir, script: &str) -> Router {
        let program = folder.path().join("film");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a script");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
        routes(Arc::new(Desk::new(program, "http://127.0.0.1:1".to_owned(), true)))
    }

    async fn ask(page: &Router, request: axum::http::request::Builder, body: &str) -> (u16, Value) {
        let request = request.uri("/api/recording").body(Body::from(body.to_owned())).expect("a request");
        let answer = page.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), 1 << 16).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    async fn post(page: &Router, body: &str) -> (u16, Value) {
        ask(page, Request::post("/").header(CONTENT_TYPE, "application/json"), body).await
    }

    #[tokio::test]
    async fn a_film_begins_and_ends_when_somebody_wants_it_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = "echo 'recording into out/a.mp4'; echo 'recorded 1 s, 30 pictures'; cat; echo 'recording finished: 2.0 s, 0 pictures left out'";
        let page = page(&folder, script);
        let (status, before) = ask(&page, Request::get("/"), "").await;
        assert_eq!((status, &before["recording"], &before["file"]), (200, &Value::Bool(false), &Value::Null));
        let (status, begun) = post(&page, r#"{"recording": true}"#).await;
        assert_eq!((status, begun["file"].as_str()), (200, Some("out/a.mp4")), "{begun}");
        let (status, other) = post(&page, r#"{"recording": true}"#).await;
        assert_eq!(status, 409, "{other}");
        let (status, ended) = post(&page, r#"{"recording": false}"#).await;
        assert_eq!((status, &ended["recording"], &ended["fault"]), (200, &Value::Bool(false), &Value::Null));
        assert_eq!(ended["text"], "2.0 s, 0 pictures left out");
        // And once more.
        assert_eq!(post(&page, r#"{"recording": true}"#).await.0, 200);
    }

    #[tokio::test]
    async fn a_full_disk_is_said_before_and_while_it_records() {
        let folder = tempfile::tempdir().expect("a folder");
        let before =
            page(&folder, "echo 'error: out has 5 MiB free, and a recording leaves 1024 MiB: make room' >&2; exit 1");
        let (status, refused) = post(&before, r#"{"recording": true}"#).await;
        assert_eq!(status, 507);
        assert!(refused.to_string().contains("make room"), "{refused}");
        let meanwhile = page(
            &folder,
            "echo 'recording into a.mp4'; echo 'recording finished: 1.0 s, 0 pictures left out; the film ends here: make room'",
        );
        let (_, _) = post(&meanwhile, r#"{"recording": true}"#).await;
        let (status, report) = post(&meanwhile, r#"{"recording": false}"#).await;
        assert_eq!((status, report["fault"].as_str()), (200, Some("the film ends here: make room")));
    }

    #[tokio::test]
    async fn where_everybody_may_come_in_only_the_mirrors_own_machine_records() {
        let desk = Arc::new(Desk::new("/nowhere/film".into(), String::new(), false));
        for (address, expected) in [("10.0.0.7", 403), ("127.0.0.1", 500), ("::1", 500)] {
            let peer = Extension(Peer(address.parse().expect("an address")));
            let page: Router = routes(desk.clone()).layer(peer);
            assert_eq!(post(&page, r#"{"recording": true}"#).await.0, expected, "{address}");
        }
        // A proxy of this machine asks for others.
        let page: Router = routes(desk.clone()).layer(Extension(Peer([127, 0, 0, 1].into())));
        let passed_on =
            Request::post("/").header(CONTENT_TYPE, "application/json").header("x-forwarded-for", "10.0.0.7");
        assert_eq!(ask(&page, passed_on, r#"{"recording": true}"#).await.0, 403);
        // Everybody may know.
        let page: Router = routes(desk);
        assert_eq!(ask(&page, Request::get("/"), "").await.0, 200);
    }

    #[tokio::test]
    async fn what_is_no_wish_and_a_program_that_is_not_there_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let page = page(&folder, "exit 3");
        for body in ["", "{}", r#"{"recording": 1}"#, r#"{"recording": true, "file": "/etc/passwd"}"#] {
            assert!((400..500).contains(&post(&page, body).await.0), "{body}");
        }
        // A form of another site is sent without asking, JSON is not.
        assert_eq!(ask(&page, Request::post("/"), r#"{"recording": true}"#).await.0, 415);
        assert_eq!(post(&page, r#"{"recording": true}"#).await.0, 500);
        let nowhere: Router = routes(Arc::new(Desk::new("/nowhere/film".into(), String::new(), true)));
        let (status, refused) = post(&nowhere, r#"{"recording": true}"#).await;
        assert!(status == 500 && refused.to_string().contains("/nowhere/film cannot be started"), "{refused}");
    }
}
