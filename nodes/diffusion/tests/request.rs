//! What the settings ask the painter for.

use diffusion::paint::Request;
use mirror_contract::Settings;

#[test]
fn a_fixed_seed_is_the_same_for_every_frame_and_a_running_one_is_not() {
    let fixed = Settings { seed: 7, fixed_seed: true, ..Settings::default() };
    let running = Settings { fixed_seed: false, ..fixed.clone() };
    assert_eq!([0, 1, 2].map(|frame| Request::of(&fixed, frame).seed), [7, 7, 7]);
    assert_eq!([0, 1, 2].map(|frame| Request::of(&running, frame).seed), [7, 8, 9]);
}

#[test]
fn the_greatest_seed_runs_on_from_zero() {
    let settings = Settings { seed: 4_294_967_295, fixed_seed: false, ..Settings::default() };
    assert_eq!([0, 1].map(|frame| Request::of(&settings, frame).seed), [u32::MAX, 0]);
}

#[test]
fn text_to_image_repaints_all_whatever_the_strength() {
    let settings = Settings { strength: 0.2, text_to_image: true, ..Settings::default() };
    assert_eq!(Request::of(&settings, 0).strength, 1.0);
}
