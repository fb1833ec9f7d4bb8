//! The page: live picture, prompt, settings, figures.
//!
//! Pictures come in and go out to browsers, the newest one of a stream only; each is encoded once, and only while
//! somebody watches. What people set on the page is checked against the parameter table and goes out as an update. Visitors
//! bring cameras and microphones of their own: their pictures go into the graph like those of the mirror's camera.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`check`] | settings from outside → accepted, or errors that name the range |
//! | [`form`] | the parameter table as JSON: the page builds its form from it |
//! | [`board`] | what the page shows besides the picture: settings, figures, notices |
//! | [`discreet`] | texts without folders of this machine and passwords |
//! | [`press`] | pictures → JPEG, on a thread of its own |
//! | [`streams`] | the streams: the mirror's cameras and visitors', who may send what when |
//! | [`visit`] | the page's own socket: a visitor's camera, or somebody who watches |
//! | [`site`] | what node and server share |
//! | [`routes`] | the addresses and what they answer |
//! | [`census`] | the nodes: which run, and what they use |
//! | [`meter`] | counters for Prometheus |
//! | [`traces`] | every picture's way, for OpenTelemetry |
//! | [`recording`] | a film of what the page shows |
//! | [`watching`] | the addresses for those who watch over the mirror |
//! | [`page`] | the files of the page |
//! | [`front`], [`door`], [`rates`], [`tls`] | who may come in: what the environment says; names, sites, tokens; rates; certificates |
//! | [`listeners`], [`answers`], [`socket`] | listeners of other systems' clients, and what they have in common |
//! | [`realtime`], [`live`], [`dream`] | clients of Real-Time LCM, Live Diffusion, DreamStream |
//! | [`documents`], [`openapi`] | Swagger UI, ReDoc; the description of the page's addresses |
//! | [`machine`] | what this machine is busy with |
//! | [`server`], [`crowd`] | connections: limits, time-outs, the end |
//! | [`ports`], [`node`] | ports; event loop |

pub mod answers;
pub mod board;
pub mod census;
pub mod check;
pub mod config;
pub mod crowd;
pub mod discreet;
pub mod documents;
pub mod door;
pub mod dream;
pub mod form;
pub mod front;
pub mod listeners;
pub mod live;
pub mod machine;
pub mod meter;
pub mod node;
pub mod openapi;
pub mod page;
pub mod ports;
pub mod press;
pub mod rates;
pub mod realtime;
pub mod recording;
pub mod routes;
pub mod server;
pub mod site;
pub mod socket;
pub mod streams;
pub mod tls;
pub mod traces;
pub mod visit;
pub mod watching;

pub use node::run;
