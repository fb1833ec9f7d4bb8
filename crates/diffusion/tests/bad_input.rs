//! Whatever comes in, a plan is right or refused, and what is painted stays finite.

use mirror_diffusion::{Guidance, History, Noise, Plan, PlanError, Scheduler, Strength, check_finite};
use proptest::prelude::*;
use serde_json::{Value, json};

const CLASSES: [&str; 7] = [
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DDIMScheduler",
    "LCMScheduler",
    "TCDScheduler",
    "DPMSolverMultistepScheduler",
    "PNDMScheduler",
];

fn class() -> impl Strategy<Value = &'static str> {
    prop::sample::select(CLASSES.to_vec())
}

fn spacing() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["trailing", "leading", "linspace"])
}

/// Any number of steps, often one at an edge.
fn steps() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..60, prop::sample::select(vec![0, 1, 998, 999, 1000, 1001, usize::MAX])]
}

/// Any strength, often one at an edge, by either rule.
fn strength() -> impl Strategy<Value = Strength> {
    let value = prop_oneof![0.0f64..=1.0, prop::sample::select(vec![0.0, 1e-9, 0.001, 1.0, -0.0, 1.1, f64::NAN])];
    (value, any::<bool>())
        .prop_map(|(value, ours)| if ours { Strength::Continuous(value) } else { Strength::Diffusers(value) })
}

fn supported(config: &Value) -> Scheduler {
    Scheduler::from_config(config).unwrap_or_else(|error| panic!("{error}: {config}"))
}

fn euler() -> Scheduler {
    supported(&json!({"_class_name": CLASSES[0], "timestep_spacing": "trailing", "prediction_type": "sample"}))
}

/// Paints with a stand-in for the UNet.
fn paint(plan: &Plan, latent: &mut [f32], history: &mut History) {
    let mut noise = vec![0.0; latent.len()];
    let mut seen = noise.clone();
    let mut generator = Noise::new(3);
    generator.fill(&mut noise);
    latent.copy_from_slice(&plan.add_noise(latent, &noise));
    for step in 0..plan.timesteps().len() {
        plan.model_input(step, latent, &mut seen);
        let mut prediction: Vec<f32> = seen.iter().map(|value| (value * 0.7).tanh()).collect();
        let negative: Vec<f32> = seen.iter().map(|value| (value * 0.6).tanh()).collect();
        Guidance { scale: 5.0, rescale: 0.7 }.apply(&mut prediction, &negative);
        if plan.needs_noise(step) {
            generator.fill(&mut noise);
        }
        plan.step(step, latent, &prediction, &noise, history).expect("the prediction is finite");
    }
}

#[test]
fn strength_zero_leaves_the_latent_as_it_is_and_strength_one_starts_at_the_end_of_the_schedule() {
    for rule in [Strength::Continuous, Strength::Diffusers] {
        let mut latent = [0.5, -1.0, 2.0];
        paint(&euler().plan(4, rule(0.0)).expect("a plan"), &mut latent, &mut History::default());
        assert_eq!(latent, [0.5, -1.0, 2.0]);
        assert_eq!(euler().plan(4, rule(1.0)).expect("a plan").timesteps(), [999.0, 749.0, 499.0, 249.0]);
    }
}

#[test]
fn one_step_starts_where_the_strength_says_and_diffusers_has_none_there() {
    let start = |strength| euler().plan(1, Strength::Continuous(strength)).expect("a plan").timesteps().to_vec();
    assert_eq!(start(1.0), [999.0]);
    assert_eq!(start(0.5), [499.0]);
    assert_eq!(start(0.001), [0.0]);
    let error = euler().plan(1, Strength::Diffusers(0.9)).expect_err("no step is left");
    assert_eq!(error.to_string(), "1 steps at strength 0.9 are less than one step: ask for more of either");
}

#[test]
fn steps_beyond_the_schedule_are_refused_with_the_range() {
    for steps in [0, 1001] {
        assert_eq!(euler().plan(steps, Strength::Continuous(1.0)), Err(PlanError::Steps { steps, most: 1000 }));
    }
    assert!(euler().plan(1000, Strength::Continuous(1.0)).is_ok());
    for strength in [-0.1, 1.1, f64::NAN] {
        let refused = euler().plan(1, Strength::Continuous(strength));
        assert!(matches!(refused, Err(PlanError::Strength { .. })), "{refused:?}");
    }
    let most = |class: &str| match supported(&json!({"_class_name": class})).plan(1000, Strength::Continuous(1.0)) {
        Err(PlanError::Steps { most, .. }) => most,
        other => panic!("{other:?}"),
    };
    assert_eq!([most("LCMScheduler"), most("TCDScheduler"), most("DPMSolverMultistepScheduler")], [50, 50, 999]);
}

#[test]
fn a_list_of_timesteps_must_fall_within_the_schedule_and_be_known_to_the_class() {
    let full = Strength::Continuous(1.0);
    let wrong = |list: &[usize]| euler().plan(list, full).expect_err("wrong").to_string();
    assert_eq!(wrong(&[]), "steps must be from 1 to 1000, not 0");
    assert_eq!(wrong(&[1000, 5]), "timesteps must fall and be at most 999; 1000 is not so");
    let offset = json!({"_class_name": "DDIMScheduler", "steps_offset": 600});
    let far = supported(&offset).plan(2, full).expect_err("there is no such timestep");
    assert_eq!(far.to_string(), "timesteps must fall and be at most 999; 1100 is not so");
    assert_eq!(wrong(&[900, 5, 5]), "timesteps must fall and be at most 999; 5 is not so");
    assert_eq!(euler().plan(&[999, 5], Strength::Continuous(0.5)).expect("a plan").timesteps(), [499.0, 2.0]);
    for config in
        [json!({"_class_name": "DDIMScheduler"}), json!({"_class_name": CLASSES[0], "use_karras_sigmas": true})]
    {
        assert!(matches!(supported(&config).plan(&[999], full), Err(PlanError::NoList { .. })), "{config}");
    }
}

#[test]
fn pure_noise_and_predicted_noise_make_no_picture_and_that_is_said() {
    let config = |prediction| {
        json!({"_class_name": "DDIMScheduler", "prediction_type": prediction, "timestep_spacing": "trailing",
            "rescale_betas_zero_snr": true})
    };
    let error = supported(&config("epsilon")).plan(1, Strength::Continuous(1.0)).expect_err("no picture");
    assert!(error.to_string().starts_with("timestep 999 is pure noise (rescale_betas_zero_snr)"), "{error}");
    assert!(supported(&config("epsilon")).plan(1, Strength::Continuous(0.9)).is_ok());
    assert!(supported(&config("v_prediction")).plan(1, Strength::Continuous(1.0)).is_ok());
}

#[test]
fn what_a_configuration_asks_for_in_vain_is_named_with_what_is_supported() {
    let error = |config: Value| Scheduler::from_config(&config).expect_err("not supported").to_string();
    let euler = |key: &str, value: Value| error(json!({"_class_name": CLASSES[0], key: value}));
    let class = error(json!({"_class_name": "HeunDiscreteScheduler", "shift": 3.0}));
    assert!(
        class.starts_with(
            "scheduler_config.json: _class_name \"HeunDiscreteScheduler\" is not supported; supported are Euler"
        ),
        "{class}"
    );
    assert!(error(json!({})).contains("_class_name must be EulerDiscreteScheduler, "));
    assert!(error(json!([])).contains("is no JSON object"));
    let betas = euler("beta_schedule", json!("cubic"));
    assert!(betas.contains("beta_schedule \"cubic\" is not supported; supported are linear"), "{betas}");
    assert!(euler("prediction_type", json!("flow_prediction")).contains("prediction_type \"flow_prediction\""));
    assert_eq!(euler("beta_end", json!(2.0)), "scheduler_config.json: beta_end must be between 0 and 1, not 2");
    let betas = |list: [f64; 3]| {
        let config = json!({"_class_name": CLASSES[0], "num_train_timesteps": 3, "trained_betas": list});
        Scheduler::from_config(&config).err().map(|error| error.to_string())
    };
    assert_eq!(betas([0.1, 0.0, 0.2]), None, "a step without noise is one");
    for wrong in [[0.0, 0.1, 0.2], [0.1, -0.1, 0.2], [0.1, 0.2, 1.0]] {
        assert!(betas(wrong).is_some_and(|error| error.contains("from 0 to below 1, the first above 0")), "{wrong:?}");
    }
    assert_eq!(euler("beta_start", json!("0.1")), "scheduler_config.json: beta_start must be a number, not 0.1");
    assert!(
        euler("use_beta_sigmas", json!(true))
            .contains("use_beta_sigmas \"true\" is not supported; supported are false")
    );
    assert!(euler("timestep_type", json!("continuous")).contains("supported are discrete"));
    assert!(euler("use_new_trick", json!(true)).contains("use_new_trick (here true) is not known"));
    let thresholds = error(json!({"_class_name": "DDIMScheduler", "thresholding": true}));
    assert!(thresholds.contains("thresholding \"true\""), "{thresholds}");
    let solver = error(json!({"_class_name": CLASSES[5], "algorithm_type": "dpmsolver"}));
    assert!(solver.contains("supported are dpmsolver++, sde-dpmsolver++"), "{solver}");
    let pndm = error(json!({"_class_name": "PNDMScheduler"}));
    assert!(pndm.contains("skip_prk_steps \"false\" is not supported; supported are true"), "{pndm}");
    let coarse = error(json!({"_class_name": "LCMScheduler", "num_train_timesteps": 20}));
    assert!(coarse.contains("original_inference_steps must be a whole number from 1 to num_train_timesteps, not 50"));
}

#[test]
fn a_key_that_the_class_does_not_read_is_no_hindrance() {
    let config = json!({"_class_name": CLASSES[1], "_diffusers_version": "0.42.1", "clip_sample": true,
        "use_karras_sigmas": true, "skip_prk_steps": true, "thresholding": true, "use_new_trick": false, "newer": null});
    let plain = json!({"_class_name": CLASSES[1]});
    let plan = |config| supported(config).plan(4, Strength::Continuous(1.0));
    assert_eq!(plan(&config), plan(&plain));
}

proptest! {
    #[test]
    fn every_plan_falls_stays_within_the_schedule_and_paints_what_is_finite_or_is_refused(
        class in class(), spacing in spacing(), steps in steps(), strength in strength(),
        prediction in prop::sample::select(vec!["epsilon", "v_prediction", "sample"]),
        zero_snr in any::<bool>(), karras in any::<bool>(), sde in any::<bool>(), order in 1..=3, eta in 0.0..=1.0,
        // Sizes that are not divisible by 8, and none at all.
        mut latent in prop::collection::vec(-4.0f32..4.0, 0..70)
    ) {
        let twice = class == "PNDMScheduler";
        let prediction = if twice && prediction == "sample" { "v_prediction" } else { prediction };
        let config = json!({"_class_name": class, "timestep_spacing": spacing, "prediction_type": prediction,
            "skip_prk_steps": true,
            "rescale_betas_zero_snr": zero_snr, "use_karras_sigmas": karras, "solver_order": order,
            "algorithm_type": if sde { "sde-dpmsolver++" } else { "dpmsolver++" }, "final_sigmas_type": "sigma_min"});
        let scheduler = supported(&config).with_eta(eta).expect("it is from 0 to 1");
        match scheduler.plan(steps, strength) {
            Ok(plan) => {
                let timesteps = plan.timesteps();
                prop_assert!(timesteps.len() <= steps + usize::from(twice) && (strength.value() > 0.0) != timesteps.is_empty());
                prop_assert!(timesteps.iter().all(|timestep| (0.0..=999.0).contains(timestep)));
                // Karras's lie so close at the end that two may be told the UNet as one; PNDM repeats its second.
                prop_assert!(timesteps.windows(2).all(|pair| pair[0] > pair[1] || (karras || twice) && pair[0] == pair[1]));
                let fresh = (0..timesteps.len()).map(|step| plan.needs_noise(step));
                prop_assert!(fresh.clone().zip(fresh.skip(1)).all(|(one, next)| one || !next));
                paint(&plan, &mut latent, &mut History::default());
                prop_assert!(check_finite("the latent", &latent).is_ok(), "{latent:?}");
            }
            Err(PlanError::Steps { most, .. }) => prop_assert!(steps == 0 || steps > most),
            Err(PlanError::Strength { .. }) => prop_assert!(!(0.0..=1.0).contains(&strength.value())),
            Err(PlanError::NoStepLeft { .. }) => prop_assert!((steps as f64 * strength.value()) < 1.0),
            Err(PlanError::NoSignal { timestep }) => {
                prop_assert!(zero_snr && prediction == "epsilon" && timestep == 999.0);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn a_prediction_that_is_no_number_is_refused_and_nothing_is_left_of_it(
        class in class(), place in 0usize..40, value in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY])
    ) {
        let plan = supported(&json!({"_class_name": class, "skip_prk_steps": true})).plan(4, Strength::Continuous(1.0)).expect("a plan");
        let (mut latent, noise, mut history) = (vec![0.5; 40], vec![0.1; 40], History::default());
        let mut prediction = vec![0.1; 40];
        plan.step(0, &mut latent, &prediction, &noise, &mut history).expect("it is finite");
        let before = latent.clone();
        prediction[place] = value;
        let error = plan.step(1, &mut latent, &prediction, &noise, &mut history).expect_err("it is not finite");
        prop_assert_eq!(error.place, place);
        prop_assert!(error.to_string().starts_with("the UNet's prediction has the value "), "{}", error);
        prop_assert_eq!(&latent, &before);
        // The next frame is painted as if nothing had been.
        let (mut next, mut same) = (vec![0.3; 40], vec![0.3; 40]);
        paint(&plan, &mut next, &mut history);
        paint(&plan, &mut same, &mut History::default());
        prop_assert_eq!(next, same);
    }

    #[test]
    fn a_history_that_saw_another_size_does_not_matter(
        lens in prop::collection::vec(0usize..80, 2..5), order in 1..=3
    ) {
        let config = json!({"_class_name": CLASSES[5], "solver_order": order});
        let plan = supported(&config).plan(6, Strength::Continuous(0.8)).expect("a plan");
        let mut history = History::default();
        for len in lens {
            let (mut one, mut other) = (vec![0.7; len], vec![0.7; len]);
            paint(&plan, &mut one, &mut history);
            paint(&plan, &mut other, &mut History::default());
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn no_value_of_any_key_is_more_than_refused(
        class in class(),
        key in prop::sample::select(vec![
            "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type",
            "timestep_spacing", "steps_offset", "original_inference_steps", "timestep_scaling", "clip_sample_range",
            "sigma_min", "sigma_max", "solver_order", "lambda_min_clipped", "final_sigmas_type", "clip_sample",
        ]),
        value in prop_oneof![
            any::<f64>().prop_map(|number| json!(number)), (-5i64..2000).prop_map(|number| json!(number)),
            prop::collection::vec(0.0f64..1.0, 0..4).prop_map(|list| json!(list)),
            prop::sample::select(vec![json!(true), json!("x"), json!({}), json!(1e-30), json!(0.9999999), json!(1e30)]),
        ],
        steps in steps(), strength in strength()
    ) {
        let config = json!({"_class_name": class, key: value, "use_karras_sigmas": true, "clip_sample": true,
            "skip_prk_steps": true});
        if let Ok(plan) = Scheduler::from_config(&config).map(|scheduler| scheduler.plan(steps, strength)) {
            let Ok(plan) = plan else { return Ok(()) };
            let mut latent = vec![0.5; 16];
            paint(&plan, &mut latent, &mut History::default());
            prop_assert!(check_finite("the latent", &latent).is_ok(), "{config} {latent:?}");
        }
    }

    #[test]
    fn guidance_of_one_and_below_needs_no_second_pass_and_of_equal_predictions_changes_nothing(
        scale in prop_oneof![-2.0f32..12.0, prop::sample::select(vec![0.0, 1.0, f32::NAN])], rescale in 0.0f32..=1.0,
        values in prop::collection::vec(-3.0f32..3.0, 0..40)
    ) {
        prop_assert_eq!(Guidance::new(scale).evaluations(), if scale > 1.0 { 2 } else { 1 });
        let mut guided = values.clone();
        Guidance { scale: 5.0, rescale }.apply(&mut guided, &values);
        prop_assert!(guided.iter().zip(&values).all(|(one, other)| (one - other).abs() < 1e-4));
    }
}
