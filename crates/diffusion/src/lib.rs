//! The numbers of diffusion: how much noise there is at which timestep, and how a prediction becomes a picture.
//!
//! Pure: no model, no clock, no allocation once a plan is made. Latents are flat slices of f32 in any layout.
//!
//! ```
//! use mirror_diffusion::{Noise, Scheduler};
//! use serde_json::json;
//!
//! let config = json!({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"});
//! let scheduler = Scheduler::from_config(&config).unwrap();
//! let plan = scheduler.plan(2, 1.0).unwrap();
//! assert_eq!(plan.timesteps(), [999.0, 499.0]);
//! let mut latent = [0.1, 0.2, 0.3, 0.4];
//! let mut noise = [0.0; 4];
//! Noise::new(42).fill(&mut noise);
//! plan.add_noise(&mut latent, &noise);
//! ```

pub mod betas;
pub mod config;
pub mod noise;
pub mod plan;
pub mod scheduler;

pub use config::{ConfigError, Prediction};
pub use noise::Noise;
pub use plan::Plan;
pub use scheduler::{Method, PlanError, Scheduler};
