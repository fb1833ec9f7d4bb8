//! One picture through a pack, in one process: what the mirror does with a camera, as a library call.
//!
//! It runs on the very cores that the nodes run on (`encoder`, `embed`, `diffusion`, `decoder`), without a graph: the
//! same pack, settings and seed give the same picture.
//!
//! ```no_run
//! use mirror_inference::{Options, Runtime};
//! use mirror_models::Installed;
//! use mirror_pipeline::{Format, Pipeline, Request, codec};
//! # fn main() -> eyre::Result<()> {
//! let runtime = Runtime::load()?;
//! let installed = Installed::find("models/starter".as_ref(), "")?;
//! let processor = installed.processor("turbo").expect("the starter pack has it");
//! let mut pipeline = Pipeline::open(&runtime, &installed, processor, &Options::default())?;
//!
//! let mut request = Request::of(processor);
//! request.settings.prompt = "a pencil drawing".to_owned();
//! request.settings.seed = 7;
//!
//! // Pixels in, pixels out.
//! let cat = codec::read("cat.jpg".as_ref())?;
//! let painted = pipeline.apply(&cat, &request)?;
//! codec::write("drawing.png".as_ref(), &painted.picture)?;
//! println!("painted in {:.1} ms", painted.times.paint.as_secs_f64() * 1e3);
//!
//! // The bytes of a file in, the bytes of a file out; the same as base64.
//! let jpeg = pipeline.apply_bytes(&std::fs::read("cat.jpg")?, &request, Format::Jpeg)?;
//! let text = pipeline.apply_base64(&codec::to_base64(&jpeg), &request, Format::Png)?;
//! # let _ = text;
//!
//! // No picture in: the prompt alone, for packs that were trained for it.
//! let imagined = pipeline.imagine(&request)?;
//! # let _ = imagined;
//! # Ok(())
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`pipeline`] | the four stages of a pack, one after the other, timed |
//! | [`request`] | what is to be painted: settings, checked against the parameter table |
//! | [`fit`] | how a picture of any shape becomes one that a pack takes, and back |
//! | [`codec`] | PNG and JPEG, files and base64 |

pub mod codec;
pub mod fit;
pub mod pipeline;
pub mod request;

pub use codec::Format;
pub use fit::Fit;
pub use mirror_imaging::Image;
pub use pipeline::{Painted, Pipeline, Times};
pub use request::Request;
