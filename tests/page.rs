//! The whole mirror as people use it: `mirror run`, its page in a real browser, Ctrl-C.

use eyre::{Result, ensure, eyre};
use mirror_tests::browser::{Browser, ENTER};
use mirror_tests::running::{Running, shared_files, signal, wait_for};
use serde_json::{Value, json};

/// The picture on the page as 32 × 32 pixels, `[red, green, blue]` from 0 to 1 each.
fn picture(browser: &Browser) -> Result<Vec<[f64; 3]>> {
    canvas(browser, "picture")
}

/// The same of any canvas.
fn canvas(browser: &Browser, id: &str) -> Result<Vec<[f64; 3]>> {
    let script = format!(
        "const canvas = new OffscreenCanvas(32, 32);
        const context = canvas.getContext('2d');
        context.drawImage(document.getElementById('{id}'), 0, 0, 32, 32);
        return Array.from(context.getImageData(0, 0, 32, 32).data)"
    );
    let values = browser.run(&script)?;
    let bytes: Vec<f64> = values.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    ensure!(bytes.len() == 32 * 32 * 4, "no picture: {values}");
    Ok(bytes.chunks_exact(4).map(|pixel| [pixel[0] / 255.0, pixel[1] / 255.0, pixel[2] / 255.0]).collect())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// How far two pictures are apart: 0 for the same one.
fn difference(one: &[[f64; 3]], other: &[[f64; 3]]) -> f64 {
    let apart = |(one, other): (&[f64; 3], &[f64; 3])| (0..3).map(|at| (one[at] - other[at]).abs()).sum::<f64>() / 3.0;
    mean(one.iter().zip(other).map(apart))
}

/// How colourful a picture is: 0 for shades of grey.
fn colour(picture: &[[f64; 3]]) -> f64 {
    let spread =
        |pixel: &[f64; 3]| pixel.iter().copied().fold(0.0, f64::max) - pixel.iter().copied().fold(1.0, f64::min);
    mean(picture.iter().map(spread))
}

fn the_picture_moves_and_the_figures_are_live(browser: &Browser) -> Result<()> {
    browser.wait_until("a live picture", "document.body.dataset.state === 'live'")?;
    let first = picture(browser)?;
    wait_for("another picture", || picture(browser).is_ok_and(|now| difference(&first, &now) > 0.01))?;
    let frames = |browser: &Browser| -> Result<u64> { Ok(browser.text("frames")?.parse()?) };
    let before = frames(browser)?;
    wait_for("more pictures in the figures", || frames(browser).is_ok_and(|now| now > before))?;
    let fps: f64 = browser.text("fps")?.parse()?;
    ensure!(fps > 0.0, "{fps} pictures a second");
    let age = browser.text("age")?;
    let (p50, p99) = age.split_once(" / ").ok_or_else(|| eyre!("age {age}"))?;
    ensure!((1.0..=p99.parse()?).contains(&p50.parse::<f64>()?), "age {age}");
    let stages = browser.text("stages")?;
    for stage in ["encoder", "diffusion", "decoder"] {
        ensure!(stages.contains(stage), "the page does not say where the time goes: {stages}");
    }
    let origin = browser.text("origin")?;
    ensure!(origin.contains("Pack starter") && origin.contains("clip.mp4"), "{origin}");
    Ok(())
}

fn a_prompt_that_is_typed_repaints_the_picture(browser: &Browser, mirror: &Running) -> Result<()> {
    let before = picture(browser)?;
    browser.type_into("prompt", &format!("a pencil drawing{ENTER}"))?;
    wait_for("the prompt in the figures", || {
        mirror.get("/api/figures").is_ok_and(|figures| figures["prompt"] == "a pencil drawing")
    })?;
    browser.wait_until(
        "the page's own word for it",
        "document.getElementById('picture').getAttribute('aria-label').endsWith('painted as: a pencil drawing')
            && document.getElementById('painting').hidden",
    )?;
    let grey = |browser: &Browser| picture(browser).map(|now| colour(&now));
    wait_for("a picture without colour", || grey(browser).is_ok_and(|now| now < colour(&before) / 2.0))?;
    let chosen = browser
        .run("return [...document.querySelectorAll('#looks [aria-pressed=true]')].map((one) => one.innerText)")?;
    ensure!(chosen == json!(["a pencil drawing"]), "{chosen}");
    Ok(())
}

fn what_was_painted_lies_beside_the_painting(browser: &Browser) -> Result<()> {
    browser.wait_until("the button for it", "!document.getElementById('compare').hidden")?;
    browser.click("compare")?;
    // The painting is a drawing, and the clip is not.
    let colourful = || Ok::<_, eyre::Report>([colour(&canvas(browser, "before")?), colour(&picture(browser)?)]);
    wait_for("the camera's own picture beside it", || colourful().is_ok_and(|[before, after]| before > 2.0 * after))?;
    browser.screenshot("house-compare")?;
    browser.click("compare")
}

fn a_setting_out_of_range_is_refused_beside_its_field(browser: &Browser) -> Result<()> {
    browser.type_into("setting-strength", &format!("7{ENTER}"))?;
    let error = "document.querySelector('.row:has(#setting-strength) .error')";
    browser.wait_until("the error", &format!("{error} && !{error}.hidden"))?;
    let said = browser.run(&format!("return {error}.innerText"))?;
    ensure!(said == "strength must be a number from 0 to 1, not 7", "{said}");
    browser.type_into("setting-strength", &format!("1{ENTER}"))?;
    browser.wait_until("no error", &format!("{error}.hidden"))
}

fn what_is_typed_into_the_chat_is_seen_on_the_page(browser: &Browser, mirror: &Running) -> Result<()> {
    let (said, complaints) = mirror.chat("/seed 7\n/strength 7\n/opacity\n")?;
    ensure!(said.contains("seed: 7") && said.contains("/opacity 1"), "{said}");
    ensure!(complaints == "/strength takes a number from 0 to 1, not 7\n", "{complaints}");
    browser.wait_until("the seed", "document.getElementById('setting-seed').value === '7'")
}

fn a_stage_that_vanishes_is_said_and_comes_back(browser: &Browser, mirror: &Running) -> Result<()> {
    let diffusion = || mirror.node("diffusion").ok_or_else(|| eyre!("no node diffusion"));
    let first = diffusion()?;
    signal("STOP", first)?;
    // A screen reader says the title whenever it changes: how long stands beside it.
    browser.wait_until(
        "word of it",
        "document.getElementById('veil-title').innerText === 'No picture comes'
            && document.getElementById('veil-text').innerText.startsWith('None for ')",
    )?;
    signal("KILL", first)?;
    wait_for("another diffusion", || diffusion().is_ok_and(|now| now != first))?;
    let toast = "[...document.querySelectorAll('.toast')].some((one) => one.innerText.startsWith('diffusion'))";
    browser.wait_until("the new node's notice", toast)?;
    browser.wait_until("a live picture again", "document.body.dataset.state === 'live'")
}

fn the_page_comes_back_with_its_node_and_still_says_the_source(browser: &Browser, mirror: &Running) -> Result<()> {
    let web = || mirror.node("web").ok_or_else(|| eyre!("no node web"));
    let first = web()?;
    browser.run("document.getElementById('origin').textContent = ''")?;
    signal("KILL", first)?;
    wait_for("another web", || web().is_ok_and(|now| now != first))?;
    let origin = "document.getElementById('origin').innerText.includes('clip.mp4')";
    browser.wait_until("the source", &format!("document.body.dataset.state === 'live' && {origin}"))
}

#[test]
fn the_page_shows_the_mirror_and_repaints_it_and_ctrl_c_leaves_nothing_behind() -> Result<()> {
    let before = shared_files();
    let mut mirror = Running::start(&["--source", "assets/clip.mp4", "--size", "256"])?;
    mirror.paints(None)?;
    let browser = Browser::open(&mirror.page())?;

    the_picture_moves_and_the_figures_are_live(&browser)?;
    a_prompt_that_is_typed_repaints_the_picture(&browser, &mirror)?;
    what_was_painted_lies_beside_the_painting(&browser)?;
    assert_eq!(browser.complaints()?, [""; 0]);
    a_setting_out_of_range_is_refused_beside_its_field(&browser)?;
    assert_eq!(browser.complaints()?, [""; 0]);
    what_is_typed_into_the_chat_is_seen_on_the_page(&browser, &mirror)?;
    a_stage_that_vanishes_is_said_and_comes_back(&browser, &mirror)?;
    assert_eq!(browser.complaints()?, [""; 0]);
    the_page_comes_back_with_its_node_and_still_says_the_source(&browser, &mirror)?;

    drop(browser);
    assert!(mirror.interrupt()?, "{}", mirror.log());
    let left: Vec<String> = shared_files().into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(left, [""; 0], "{}", mirror.log());
    Ok(())
}
