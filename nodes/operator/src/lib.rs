//! Runs an operator on every picture, and swaps it between two pictures while the mirror runs.
//!
//! | port | message | what |
//! |---|---|---|
//! | in `picture` | Frame | `[height, width, 3]` u8, RGB; the newest one wins |
//! | in `source` | Frame | what pictures are painted from, for operators that want it; the last few are kept |
//! | in `settings` | Settings | `size`, `mirror`, `opacity`, for operators that go by them |
//! | out `picture` | Frame | the same stamp and painting, the size that the operator makes; without one, the same pixels |
//! | out `notice` | Notice | which operator is live; why one was refused or taken out |
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the configuration |
//! | [`watch`] | when the library's file is there, and still |
//! | [`whole`] | whether the file is whole |
//! | [`trial`] | the trial of a library in a process of its own |
//! | [`library`] | a library in this process: its symbols, what it was built for |
//! | [`instance`] | one operator of it: made, run, ended |
//! | [`sample`] | a picture on its way to an operator, and what comes back |
//! | [`worker`] | the thread that an operator lives in |
//! | [`prepare`] | the thread that gets a new operator ready beside the one that paints |
//! | [`lives`] | how often the host has died with a library |
//! | [`host`] | which operator paints, and which one steps in when it fails |
//! | [`node`] | ports and event loop |
//!
//! # Why this is sound
//!
//! Foreign code runs in this process. What holds, and why:
//!
//! 1. **What is loaded cannot change.** A library is loaded from a private copy, which is read once, checked to be whole,
//!    and has lost its name before it paints. Whatever happens to the watched file, nothing that is mapped is written to.
//!    The copy's inode lives as long as the mapping, so the loader cannot take a later copy for an earlier one.
//! 2. **Both sides mean the same.** Two of dora's types that cross have Rust's own layout. Sizes and offsets of all of them,
//!    as the library's compiler laid them out, are compared before its first function is called ([`mirror_operator::abi`]).
//!    A library that does not say them is refused.
//! 3. **Nothing outlives its code.** A library is never unloaded: painted pixels, release functions of Arrow arrays, error
//!    texts, functions that run at the end of a thread may all point into it. One swap costs the library's size in address
//!    space and, of what it touches, in memory (`benches/OPERATORS.md` says how much), until the node ends.
//! 4. **Memory is freed by who can.** Arrow arrays are released by the functions they bring. Texts are freed on the other
//!    side than they were made on: both use the system's allocator, unless an operator sets another `#[global_allocator]`,
//!    which it must not.
//! 5. **An operator stays in one thread.** It is made, run and dropped in a thread of its own; dora promises it no less. Only
//!    arrays and texts cross between threads.
//! 6. **A picture is only lent.** The operator sees the sender's shared memory through an array that counts its users; it is
//!    let go of before the answer is out. An operator that keeps a clone keeps that piece of memory, and harms nothing else.
//! 7. **A panic ends nothing.** `register_operator!` catches it in all three functions and returns it as an error; the operator
//!    is not called again, and the one before it paints that very picture. That holds for `panic = "unwind"`, which this
//!    workspace has; an operator built with `abort` fails its trial if it panics there.
//! 8. **What no `catch` can hold happens elsewhere first.** Memory faults, aborts, exits and endless loops on loading or on the
//!    first pictures end the process of the trial, not this one. One that never answers later is left behind in its thread.
//!
//! What remains: an operator is native code in this process. One that passes its trial and aborts or writes through a
//! wild pointer *later* takes the node with it. dora starts it again within a moment (`restart_policy`), and the file is
//! tried anew; nobody else ends. After three such ends within a minute it is left out ([`lives`]). Operators are trusted as
//! any program that is started by hand, and are no place for strangers' code.

pub mod config;
pub mod host;
pub mod instance;
pub mod library;
pub mod lives;
pub mod node;
pub mod prepare;
pub mod sample;
pub mod trial;
pub mod watch;
pub mod whole;
pub mod worker;

pub use node::run;
