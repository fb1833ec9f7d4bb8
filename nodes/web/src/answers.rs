//! What the listeners of other systems have in common: errors as FastAPI has them, and what a request brings.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use mirror_protocols::detail::{Detail, Invalid};
use serde::de::DeserializeOwned;
use utoipa::openapi::{License, OpenApi};
use uuid::Uuid;

/// An error with that status.
#[must_use]
pub fn detail(status: StatusCode, text: &str) -> Response {
    (status, Json(Detail::of(text))).into_response()
}

/// A part of a request that is not of the right form.
#[must_use]
pub fn invalid(place: &[&str], text: &str) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(Invalid::at(place, text))).into_response()
}

/// A UUID in an address.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| Uuid::parse_str(&text).ok());
        id.map(Self).ok_or_else(|| invalid(&["path", "user_id"], "value is not a valid uuid"))
    }
}

/// The request of a socket.
pub struct Upgrade(pub WebSocketUpgrade);

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await;
        upgrade.map(Self).map_err(|_| detail(StatusCode::UPGRADE_REQUIRED, "this address is a WebSocket's"))
    }
}

/// A body of JSON.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::BytesRejection(error)) => Err(detail(error.status(), &error.body_text())),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON, with Content-Type: application/json"))
            }
            Err(error) => Err(invalid(&["body"], &error.body_text())),
        }
    }
}

/// What every description says of the mirror.
#[must_use]
pub fn document(mut api: OpenApi) -> OpenApi {
    env!("CARGO_PKG_VERSION").clone_into(&mut api.info.version);
    api.info.license = Some(License::new("Apache-2.0"));
    api.info.contact = None;
    api
}
