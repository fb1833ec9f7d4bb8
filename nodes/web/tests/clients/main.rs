//! Clients of other systems, over real sockets. The graph is the test's: it turns every picture into its negative.

mod door;
mod dream;
mod fuzz;
mod live;
mod mirror;
mod openapi;
mod realtime;
mod tls;
