//! The mirror with its window: `mirror run` on a virtual screen (Xvfb), looked at pixel by pixel, until somebody presses `q`.

use eyre::{Result, eyre};
use mirror_tests::desktop::Desktop;
use mirror_tests::running::{Running, wait_for};
use serde_json::json;
use std::collections::BTreeMap;

/// Rows and columns of the screen.
const SCREEN: [u32; 2] = [700, 1000];
/// Side of the window at the start (`DISPLAY_WIDTH`, `DISPLAY_HEIGHT`).
const WINDOW: u32 = 512;
/// Of so many pixels one is looked at. No row of the window is a multiple of it.
const EVERY: usize = 37;

/// Where the window is: in the middle of the screen.
fn place() -> [std::ops::Range<u32>; 2] {
    SCREEN.map(|side| (side - WINDOW) / 2..(side + WINDOW) / 2)
}

/// What the window shows: some of its pixels, red, green and blue from 0 to 1 each.
fn seen(desktop: &Desktop) -> Vec<[f64; 3]> {
    let [rows, columns] = place();
    let colours = desktop.colours(rows, columns);
    let part = |colour: u32, shift: u32| f64::from(colour >> shift & 0xff) / 255.0;
    colours.into_iter().step_by(EVERY).map(|colour| [part(colour, 16), part(colour, 8), part(colour, 0)]).collect()
}

/// How colourful that is: 0 for shades of grey, and for an empty window.
fn colour(pixels: &[[f64; 3]]) -> f64 {
    let spread = |pixel: &[f64; 3]| {
        let most = pixel.iter().copied().fold(0.0, f64::max);
        most - pixel.iter().copied().fold(1.0, f64::min)
    };
    pixels.iter().map(spread).sum::<f64>() / pixels.len() as f64
}

/// How far two pictures are apart: 0 for the same one.
fn difference(one: &[[f64; 3]], other: &[[f64; 3]]) -> f64 {
    let values = one.as_flattened().iter().zip(other.as_flattened());
    values.map(|(one, other)| (one - other).abs()).sum::<f64>() / one.as_flattened().len() as f64
}

#[test]
fn the_window_shows_painted_pictures_that_move_and_q_in_it_ends_the_mirror() -> Result<()> {
    let desktop = Desktop::start(SCREEN[0], SCREEN[1]);
    let mut mirror = Running::start_on(desktop.name(), &["--source", "assets/clip.mp4", "--size", "256"])?;
    let eventually = |what: &str, is_so: &dyn Fn() -> bool| {
        wait_for(what, is_so).map_err(|error| eyre!("{error}\n{}", mirror.log()))
    };

    eventually("a picture in the window", &|| colour(&seen(&desktop)) > 0.05)?;
    let first = seen(&desktop);
    eventually("another picture", &|| difference(&first, &seen(&desktop)) > 0.01)?;

    let before = colour(&seen(&desktop));
    mirror.post("/api/settings", &json!({"prompt": "a pencil drawing"}))?;
    let is_grey = || {
        let now = seen(&desktop);
        // An empty window has no colours either.
        colour(&now) < before / 2.0 && now.iter().any(|pixel| pixel[0] > 0.5)
    };
    eventually("a picture without colour", &is_grey)?;
    let drawn = seen(&desktop);
    eventually("another drawing", &|| difference(&drawn, &seen(&desktop)) > 0.002)?;

    desktop.press(b"q\0");
    assert!(mirror.wait()?, "{}", mirror.log());
    assert!(mirror.log().contains("window closed"), "{}", mirror.log());
    assert_eq!(mirror.processes(), BTreeMap::new(), "{}", mirror.log());
    let [rows, columns] = place();
    assert_eq!(desktop.count(rows, columns, 0), (WINDOW * WINDOW) as usize, "something is left on the screen");
    Ok(())
}
