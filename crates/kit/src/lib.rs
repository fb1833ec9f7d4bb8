//! What every node does alike, so that a node holds only what is its own.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | configuration from the environment: every key listed, unknown ones refused |
//! | [`node`] | the node as the graph sees it: inputs, outputs, trace, drops, notices |
//! | [`input`] | what comes to a node |
//! | [`members`] | the other nodes of the dataflow file |
//! | [`log`] | lines of the log, as dora takes them apart |
//! | [`start`] | `main` of every node: logging, errors in one line |
//! | [`beside`] | a file of one's own beside another one |
//! | [`disk`] | how much room a disk has |
//! | [`figures`] | frame rate, age, stage times and drops, from the traces of frames |
//! | [`turn`] | pictures wait until the next stage is ready for them |
//! | [`source`], [`backoff`] | a camera or a microphone that may vanish and come back |
//! | [`mark`] | what a node leaves for the process that is started in its place |
//! | [`handover`] | between the thread that reads a source and the event loop |
//! | [`pace`] | when a picture or a stretch of sound is due |
//! | [`book`] | the newest settings of each stream |
//! | [`sources`] | the last few pictures, each to be found for what was painted from it |
//! | [`words`] | what nodes say to the programs that wait for it |
//! | [`addresses`] | the addresses of this machine, as others see it |
//! | [`processes`] | the nodes as the system sees them: processor, memory, restarts |
//! | [`pulse`] | what a node tells of itself to whoever looks at its process |

pub mod addresses;
pub mod backoff;
pub mod beside;
pub mod book;
pub mod config;
pub mod disk;
pub mod figures;
pub mod handover;
pub mod input;
pub mod log;
pub mod lull;
pub mod mark;
pub mod members;
pub mod node;
pub mod pace;
pub mod processes;
pub mod pulse;
pub mod source;
pub mod sources;
pub mod start;
pub mod turn;
pub mod words;

mod locked;

pub use beside::beside;
pub use book::Book;
pub use config::{Environment, Key};
pub use figures::{Figures, Summary};
pub use input::{Input, Next, Woken};
pub use members::Member;
pub use node::Node;
pub use pulse::{Pulse, Pulses};
pub use sources::Sources;
pub use start::{start, start_terminal};
