//! The threads of dora's transport, zenoh.
//!
//! It has six of them in five pools, and what comes or goes is handed from one pool to the next. A node sends and receives a few
//! messages a picture, for which one thread is enough; what dora does in it never blocks. On two cores, with a picture every 17 ms, one
//! thread in place of six saves a picture 20 of 72 thread switches and 5 % of the processor's time, and a message takes a sixth less.

use std::env;

/// Where zenoh reads which pool has how many threads, and which pools are another one (`ZENOH_RUNTIME_ENV` of zenoh-runtime).
const KEY: &str = "ZENOH_RUNTIME";
/// All in that of what is received, but for the pool of those who call zenoh, which has no work of its own.
const ONE: &str = "(rx: (worker_threads: 1), tx: (handover: rx), acc: (handover: rx), net: (handover: rx))";

/// Gives the transport one thread, unless somebody has said otherwise. Before any thread is started: it is read when dora is joined.
pub(crate) fn use_one_thread() {
    if env::var_os(KEY).is_none() {
        // SAFETY: the process has no other thread yet that could read its environment.
        unsafe { env::set_var(KEY, ONE) };
    }
}
