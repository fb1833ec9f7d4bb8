//! The numbers of diffusion: how much noise there is at which timestep, and how a prediction becomes a picture.
//!
//! Pure: no model, no clock, and once a plan is made no allocation but that of the latent that image-to-image begins with.
//! Latents are flat slices of f32 in any layout; a batch is a longer slice. What diffusers' schedulers do is done here to 1e-4 (`tests/schedulers.rs`).
//!
//! ```
//! use mirror_diffusion::{History, Noise, Scheduler, Strength};
//! use serde_json::json;
//!
//! let config = json!({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"});
//! let scheduler = Scheduler::from_config(&config)?;
//! let plan = scheduler.plan(2, Strength::Continuous(1.0))?;
//! assert_eq!(plan.timesteps(), [999.0, 499.0]);
//!
//! let (picture, mut noise, mut seen) = ([0.1; 16], [0.0; 16], [0.0; 16]);
//! let (mut generator, mut history) = (Noise::new(42), History::default());
//! generator.fill(&mut noise);
//! let mut latent = plan.add_noise(&picture, &noise);
//! for step in 0..plan.timesteps().len() {
//!     plan.model_input(step, &latent, &mut seen);
//!     let prediction = seen; // here the UNet runs
//!     if plan.needs_noise(step) {
//!         generator.fill(&mut noise);
//!     }
//!     plan.step(step, &mut latent, &prediction, &noise, &mut history)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod betas;
pub mod config;
pub mod finite;
pub mod guidance;
mod keys;
mod methods;
mod multistep;
pub mod noise;
pub mod plan;
pub mod scheduler;
mod spacing;
pub mod steps;

pub use config::{ConfigError, Method, Prediction};
pub use finite::{NotFinite, check_finite};
pub use guidance::{Guidance, guide};
pub use noise::Noise;
pub use plan::{History, Plan};
pub use scheduler::{PlanError, Scheduler};
pub use steps::{Steps, Strength};
