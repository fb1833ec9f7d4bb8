//! The schedulers against diffusers: `models/export/scheduler_fixtures.py` wrote the numbers.

use mirror_diffusion::{Noise, Plan, PlanError, Scheduler};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Values of the latent of a case: 4 × 4 × 4.
const LEN: usize = 64;

/// What stands in for the UNet in the fixture.
fn unet(input: f32, timestep: f32) -> f32 {
    (input * 0.7 + 0.1 * timestep / 1000.0).tanh()
}

fn run(plan: &Plan, latent: &[f32], noise: &[f32], fresh_seed: u32) -> Vec<f32> {
    let mut x = latent.to_vec();
    let mut input = vec![0.0; x.len()];
    let mut fresh = vec![0.0; x.len()];
    let mut generator = Noise::new(fresh_seed);
    plan.add_noise(&mut x, noise);
    for (step, timestep) in plan.timesteps().iter().enumerate() {
        plan.model_input(step, &x, &mut input);
        let output: Vec<f32> = input.iter().map(|value| unet(*value, *timestep)).collect();
        if plan.needs_noise(step) {
            generator.fill(&mut fresh);
        }
        plan.step(step, &mut x, &output, &fresh);
    }
    x
}

fn latent_and_noise() -> (Vec<f32>, Vec<f32>) {
    let (mut latent, mut noise) = (vec![0.0; LEN], vec![0.0; LEN]);
    let mut generator = Noise::new(1);
    generator.fill(&mut latent);
    generator.fill(&mut noise);
    (latent, noise)
}

#[test]
fn every_scheduler_agrees_with_diffusers_step_for_step() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/schedulers.json")).expect("it is JSON");
    let (latent, noise) = latent_and_noise();
    let cases = fixture["cases"].as_array().expect("a list");
    assert!(cases.len() >= 45);
    for case in cases {
        let scheduler = Scheduler::from_config(&case["config"]).expect("it is supported");
        let steps = case["steps"].as_u64().expect("a number") as usize;
        let plan = scheduler.plan(steps, 1.0).expect("it is a plan");
        let name = format!("{} {}", case["config"], steps);
        let timesteps: Vec<f32> = serde_json::from_value(case["timesteps"].clone()).expect("numbers");
        assert_eq!(plan.timesteps(), timesteps, "{name}");
        let expected: Vec<f32> = serde_json::from_value(case["result"].clone()).expect("numbers");
        for (value, expected) in run(&plan, &latent, &noise, 5).iter().zip(expected) {
            assert!((value - expected).abs() <= 1e-4 * expected.abs().max(1.0), "{name}: {value} {expected}");
        }
    }
}

fn euler() -> Scheduler {
    let config =
        json!({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing", "prediction_type": "sample"});
    Scheduler::from_config(&config).expect("it is supported")
}

#[test]
fn one_step_starts_where_the_strength_says() {
    let start = |strength| euler().plan(1, strength).expect("a plan").timesteps().to_vec();
    assert_eq!(start(1.0), [999.0]);
    assert_eq!(start(0.5), [499.0]);
    assert_eq!(start(0.001), [0.0]);
    assert_eq!(start(0.0), [0.0; 0]);
}

#[test]
fn strength_zero_leaves_the_latent_as_it_is() {
    let (latent, noise) = latent_and_noise();
    let plan = euler().plan(4, 0.0).expect("a plan");
    assert_eq!(run(&plan, &latent, &noise, 0), latent);
}

#[test]
fn steps_beyond_the_schedule_are_refused_with_the_range() {
    for steps in [0, 1001] {
        assert_eq!(euler().plan(steps, 1.0), Err(PlanError::Steps { steps, most: 1000 }));
    }
    assert!(euler().plan(1000, 1.0).is_ok());
    for strength in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(euler().plan(1, strength), Err(PlanError::Strength { .. })));
    }
}

#[test]
fn a_scheduler_that_is_not_supported_is_named_with_those_that_are() {
    let error = |config| Scheduler::from_config(&config).expect_err("not supported").to_string();
    let class = error(json!({"_class_name": "PNDMScheduler"}));
    assert!(
        class.starts_with("scheduler_config.json: _class_name \"PNDMScheduler\" is not supported; supported are Euler"),
        "{class}"
    );
    let betas = error(json!({"beta_schedule": "cubic"}));
    assert!(betas.contains("beta_schedule \"cubic\" is not supported; supported are linear"), "{betas}");
    let prediction = error(json!({"prediction_type": "flow"}));
    assert!(prediction.contains("prediction_type \"flow\""), "{prediction}");
    let range = error(json!({"beta_end": 2.0}));
    assert_eq!(range, "scheduler_config.json: beta_end must be between 0 and 1, not 2");
}

proptest! {
    #[test]
    fn every_plan_falls_and_stays_within_the_schedule(
        class in prop::sample::select(vec!["EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "DDIMScheduler", "LCMScheduler"]),
        spacing in prop::sample::select(vec!["trailing", "leading", "linspace"]),
        steps in 1usize..60, strength in 0.0f64..=1.0
    ) {
        let config = json!({"_class_name": class, "timestep_spacing": spacing, "steps_offset": 1});
        let plan = Scheduler::from_config(&config).expect("supported").plan(steps, strength).expect("a plan");
        prop_assert!(plan.timesteps().len() <= steps);
        prop_assert!(plan.timesteps().iter().all(|timestep| (0.0..=999.0).contains(timestep)));
        prop_assert!(plan.timesteps().windows(2).all(|pair| pair[0] > pair[1]), "{:?}", plan.timesteps());
    }

    #[test]
    fn what_is_finite_stays_finite(
        prediction in prop::sample::select(vec!["epsilon", "v_prediction", "sample"]),
        steps in 1usize..20, strength in 0.0f64..=1.0, zero_snr in any::<bool>()
    ) {
        let config = json!({"_class_name": "DDIMScheduler", "prediction_type": prediction, "timestep_spacing": "trailing",
            "rescale_betas_zero_snr": zero_snr, "clip_sample": false});
        let plan = Scheduler::from_config(&config).expect("supported").plan(steps, strength).expect("a plan");
        let (latent, noise) = latent_and_noise();
        prop_assert!(run(&plan, &latent, &noise, 3).iter().all(|value| value.is_finite()));
    }
}
