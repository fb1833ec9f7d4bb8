//! ONNX Runtime, as the nodes use it: the library is found and named, the provider is chosen and said aloud, tensors
//! are bound once and written in place.
//!
//! ```no_run
//! use mirror_inference::{Model, Options, Runtime};
//! # fn main() -> eyre::Result<()> {
//! let runtime = Runtime::load()?;
//! let mut decoder = Model::open(&runtime, "models/starter/vae_decoder/model.onnx".as_ref(), &Options::default())?;
//! decoder.shape_input("latent_sample", &[1, 16, 32, 32])?;
//! decoder.shape_output("sample", &[1, 3, 256, 256])?;
//! decoder.write("latent_sample", |values| values.fill(0.0))?;
//! decoder.run()?;
//! decoder.read("sample", |pixels| assert_eq!(pixels.len(), 3 * 256 * 256))?;
//! # Ok(())
//! # }
//! ```

pub mod config;
pub mod cores;
pub mod model;
pub mod options;
pub mod port;
pub mod runtime;

mod slot;

pub use config::Config;
pub use cores::Cores;
pub use model::Model;
pub use options::{Choice, Options, Provider};
pub use port::{Element, Port};
pub use runtime::Runtime;
