//! The schedulers against diffusers: `models/export/scheduler_fixtures.py` wrote the numbers.

use mirror_diffusion::{Guidance, History, Noise, Plan, PlanError, Scheduler, Strength};
use serde_json::Value;

/// Values of one latent of a case: 4 × 4 × 4.
const LEN: usize = 64;
/// What the results may differ by, relative to their largest value.
const TOLERANCE: f32 = 1e-4;

/// What stands in for the UNet in the fixture, with the prompt or with the negative one.
fn unet(seen: &[f32], timestep: f32, positive: bool) -> Vec<f32> {
    let time = 0.1 * timestep / 1000.0;
    let value = |seen: &f32| if positive { (seen * 0.7 + time).tanh() } else { (seen * 0.6 - time).tanh() };
    seen.iter().map(value).collect()
}

/// A run of `batch` latents; without a strength it is text-to-image.
fn run(plan: &Plan, guidance: Guidance, image_to_image: bool, batch: usize, history: &mut History) -> Vec<f32> {
    let (mut latent, mut noise) = (vec![0.0; batch * LEN], vec![0.0; batch * LEN]);
    let mut generator = Noise::new(1);
    generator.fill(&mut latent);
    generator.fill(&mut noise);
    if image_to_image {
        latent = plan.add_noise(&latent, &noise);
    } else {
        latent.clone_from(&noise);
        plan.scale_noise(&mut latent);
    }
    let mut fresh = Noise::new(5);
    let mut seen = vec![0.0; latent.len()];
    for (step, timestep) in plan.timesteps().iter().enumerate() {
        plan.model_input(step, &latent, &mut seen);
        let mut prediction = unet(&seen, *timestep, true);
        if guidance.evaluations() == 2 {
            let negative = unet(&seen, *timestep, false);
            for (positive, negative) in prediction.chunks_mut(LEN).zip(negative.chunks(LEN)) {
                guidance.apply(positive, negative);
            }
        }
        if plan.needs_noise(step) {
            fresh.fill(&mut noise);
        }
        plan.step(step, &mut latent, &prediction, &noise, history).expect("the prediction is finite");
    }
    latent
}

/// The difference of the values that the fixture keeps, relative to the largest of them.
fn difference(latent: &[f32], kept: &[f32]) -> f32 {
    let largest = kept.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let differences = latent[latent.len() - kept.len()..].iter().zip(kept).map(|(value, kept)| (value - kept).abs());
    // A NaN of ours must not get lost in a maximum.
    differences.fold(0.0f32, |worst, off| if off <= worst { worst } else { off }) / largest
}

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/schedulers.json")).expect("it is JSON")
}

fn entries<'a>(fixture: &'a Value, key: &str) -> &'a Vec<Value> {
    fixture[key].as_array().expect("a list")
}

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).expect("numbers")
}

fn scheduler(entry: &Value) -> Scheduler {
    let scheduler = Scheduler::from_config(&entry["config"]).unwrap_or_else(|error| panic!("{error}: {entry}"));
    scheduler.with_eta(entry["eta"].as_f64().unwrap_or(0.0)).expect("it is from 0 to 1")
}

/// diffusers' rule, with text-to-image as strength 1.
fn strength(value: &Value) -> Strength {
    Strength::Diffusers(value.as_f64().unwrap_or(1.0))
}

#[test]
fn every_scheduler_and_prediction_type_gives_what_diffusers_gives_for_all_steps_strengths_and_guidance() {
    let fixture = fixture();
    let (mut seen, mut refused, mut worst) = (0, 0, 0.0f32);
    // One history for all runs: nothing of a run may reach the next.
    let mut history = History::default();
    for group in entries(&fixture, "wide") {
        let scheduler = scheduler(group);
        for case in entries(group, "runs") {
            let name = format!("{} {} eta {}", case, group["config"], group["eta"]);
            let steps = case[0].as_u64().expect("steps") as usize;
            let plan = scheduler.plan(steps, strength(&case[1]));
            if case[3].is_null() {
                assert!(matches!(plan, Err(PlanError::NoStepLeft { .. })), "{name}: {plan:?}");
                refused += 1;
                continue;
            }
            let plan = plan.unwrap_or_else(|error| panic!("{name}: {error}"));
            let timesteps = floats(&group["timesteps"][steps.to_string()]);
            assert_eq!(plan.timesteps(), &timesteps[timesteps.len() - plan.timesteps().len()..], "{name}");
            let guidance = Guidance::new(case[2].as_f64().expect("a scale") as f32);
            let off = difference(&run(&plan, guidance, !case[1].is_null(), 1, &mut history), &floats(&case[3]));
            assert!(off <= TOLERANCE, "{name}: off by {off}");
            (seen, worst) = (seen + 1, worst.max(off));
        }
    }
    println!("{seen} runs, off by {worst:e} at most; {refused} strengths without a step");
    assert!(seen >= 900 && refused >= 100, "{seen} {refused}");
}

#[test]
fn spacings_betas_sigmas_and_custom_timesteps_give_what_diffusers_gives() {
    let fixture = fixture();
    let (mut seen, mut worst) = (0, 0.0f32);
    let mut history = History::default();
    for case in entries(&fixture, "thin") {
        let scheduler = scheduler(case);
        let plan = match case["steps"].as_u64() {
            Some(steps) => scheduler.plan(steps as usize, strength(&case["strength"])),
            None => {
                let list: Vec<usize> = serde_json::from_value(case["timesteps"].clone()).expect("a list");
                scheduler.plan(list.as_slice(), strength(&case["strength"]))
            }
        };
        let plan = plan.unwrap_or_else(|error| panic!("{case}: {error}"));
        let timesteps = floats(&case["taken"]);
        assert_eq!(plan.timesteps().len(), timesteps.len(), "{case}");
        for (ours, timestep) in plan.timesteps().iter().zip(&timesteps) {
            // Those of Karras and exponential sigmas are interpolated.
            assert!((ours - timestep).abs() <= 2e-3, "{case}: {:?}", plan.timesteps());
        }
        let number = |key: &str, default: f64| case[key].as_f64().unwrap_or(default);
        let guidance = Guidance { scale: number("guidance", 1.0) as f32, rescale: number("rescale", 0.0) as f32 };
        let batch = number("batch", 1.0) as usize;
        let latent = run(&plan, guidance, !case["strength"].is_null(), batch, &mut history);
        let off = difference(&latent, &floats(&case["result"]));
        assert!(off <= TOLERANCE, "{case}: off by {off}");
        (seen, worst) = (seen + 1, worst.max(off));
    }
    println!("{seen} runs, off by {worst:e} at most");
    assert!(seen >= 150, "{seen}");
}

#[test]
fn the_timesteps_of_1_to_50_steps_are_those_of_diffusers() {
    let fixture = fixture();
    for entry in entries(&fixture, "spacings") {
        let scheduler = scheduler(entry);
        for (sum, steps) in entries(entry, "sums").iter().zip(1..) {
            let plan = scheduler.plan(steps, Strength::Diffusers(1.0)).expect("a plan");
            let places = plan.timesteps().iter().zip(1..);
            let ours: f64 = places.map(|(timestep, place)| f64::from(*timestep) * f64::from(place)).sum();
            let sum = sum.as_f64().expect("a number");
            assert!((ours - sum).abs() <= 1e-6 * sum.max(1.0), "{steps} steps, {}: {ours} {sum}", entry["config"]);
        }
    }
    assert_eq!(entries(&fixture, "spacings").len(), 12);
}

#[test]
fn the_mirror_s_own_strength_takes_the_steps_that_diffusers_leaves_over() {
    for config in [
        r#"{"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}"#,
        r#"{"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "clip_sample": false}"#,
    ] {
        let config: Value = serde_json::from_str(config).expect("it is JSON");
        let scheduler = Scheduler::from_config(&config).expect("it is supported");
        let whole = |steps, strength| scheduler.plan(steps, strength).expect("a plan");
        for (steps, share, left) in [(4, 0.5, 2), (10, 0.2, 2), (20, 0.75, 15), (5, 1.0, 5)] {
            let ours = whole(left, Strength::Continuous(share));
            assert_eq!(ours, whole(steps, Strength::Diffusers(share)), "{config} {steps} {share}");
        }
    }
}
