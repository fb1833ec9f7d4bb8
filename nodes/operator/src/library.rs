//! An operator's library in this process.
//!
//! It is loaded and never unloaded: see the safety argument in the crate's documentation.

use dora_operator_api::types::{DoraInitResult, DoraResult, OnEventResult, RawEvent, SendOutput};
use eyre::{Result, eyre};
use libloading::os::unix::{Library as Loaded, RTLD_LOCAL, RTLD_NOW};
use mirror_operator::{Abi, abi};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::path::Path;

/// `dora_init_operator`: makes an operator.
pub type Init = unsafe extern "C" fn() -> DoraInitResult;
/// `dora_on_event`: hands it an event. What it sends comes through the second argument, before the call returns.
pub type OnEvent = unsafe extern "C" fn(&mut RawEvent, &SendOutput, *mut c_void) -> OnEventResult;
/// `dora_drop_operator`: ends it.
pub type Drop = unsafe extern "C" fn(*mut c_void) -> DoraResult;

/// The functions of a library that is loaded for good.
#[derive(Debug, Clone)]
pub struct Library {
    /// What the operator is called: the name of its crate.
    pub name: String,
    /// Makes an operator.
    pub init: Init,
    /// Hands it an event.
    pub on_event: OnEvent,
    /// Ends it.
    pub drop: Drop,
}

impl Library {
    /// Loads a library and looks up what an operator has. Its constructors run.
    ///
    /// # Errors
    /// It is no library, it lacks a symbol, or it was built for another version of what crosses the boundary.
    pub fn load(path: &Path) -> Result<Self> {
        // SAFETY: constructors run here. They are the operator's own code, which its author trusts as any program that is
        // started by hand; a process of its own has run them before (crate::trial). RTLD_LOCAL keeps the library's symbols,
        // the same in every operator, to itself.
        let loaded = unsafe { Loaded::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        // Never unloaded, whatever becomes of it: its code may still be pointed to.
        let loaded = ManuallyDrop::new(loaded.map_err(|error| eyre!("it cannot be loaded: {}", reason(&error)))?);
        let abi = symbol::<*const Abi>(&loaded, abi::SYMBOL)?;
        // SAFETY: the symbol of that name is an Abi: every version of it begins with magic and size.
        let name = unsafe { Abi::read(abi) }.map_err(|error| eyre!(error))?;
        Ok(Self {
            name,
            init: symbol(&loaded, "dora_init_operator")?,
            on_event: symbol(&loaded, "dora_on_event")?,
            drop: symbol(&loaded, "dora_drop_operator")?,
        })
    }
}

/// What lies at a symbol: a pointer to a static, or a function.
fn symbol<T: Copy>(loaded: &Loaded, name: &str) -> Result<T> {
    // SAFETY: dora's symbols have the types above since register_operator! exists, and where they do not, the Abi differs,
    // which is looked at before any of them is called.
    let found = unsafe { loaded.get::<T>(name.as_bytes()) };
    found.map(|symbol| *symbol).map_err(|_| {
        eyre!("it is no operator of the mirror: it lacks the symbol {name}, which mirror_operator::register! writes")
    })
}

/// What the loader says, without the path of the private copy.
fn reason(error: &libloading::Error) -> String {
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    text.split_once(": ").map_or(text.clone(), |(_, reason)| reason.to_owned())
}
