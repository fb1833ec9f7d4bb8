//! The description of the page's own addresses. Each is described where it is answered.

use crate::check::{Fault, Faults};
use crate::{answers, recording, routes, visit, watching};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mirror",
        description = "A real-time mirror: pictures, settings, figures, visitors' cameras, recordings."
    ),
    paths(
        routes::settings,
        routes::change,
        routes::looks,
        routes::streams,
        routes::picture,
        routes::stream,
        routes::events,
        routes::figures,
        watching::nodes,
        watching::metrics,
        watching::health,
        recording::status,
        recording::change,
        visit::visit
    ),
    components(schemas(Fault, Faults))
)]
struct Api;

/// The description.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    answers::document(Api::openapi())
}
