//! A visitor with a camera: the page in a real browser, whose camera plays a film.

use eyre::{Result, ensure, eyre};
use mirror_tests::browser::{Browser, ENTER};
use mirror_tests::root;
use mirror_tests::running::{Running, wait_for};
use opencv::core::Vector;
use opencv::imgcodecs;
use opencv::prelude::*;
use opencv::videoio::{CAP_ANY, VideoCapture};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys of WebDriver (17.4.2): to the least value of a slider, to the greatest.
const HOME: &str = "\u{E011}";
const END: &str = "\u{E010}";
/// One mirror at a time: two of them would share the cores.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pictures of the film.
const FILM: usize = 60;

type Pixels = Vec<[f64; 3]>;

/// A canvas of the page as 32 × 32 pixels, `[red, green, blue]` from 0 to 1 each.
fn canvas(browser: &Browser, id: &str) -> Result<Pixels> {
    let script = format!(
        "const canvas = new OffscreenCanvas(32, 32);
        const context = canvas.getContext('2d');
        context.drawImage(document.getElementById('{id}'), 0, 0, 32, 32);
        return Array.from(context.getImageData(0, 0, 32, 32).data)"
    );
    pixels(&browser.run(&script)?)
}

/// The painted picture and the one that it was made from, of the same moment.
fn pair(browser: &Browser) -> Result<[Pixels; 2]> {
    let script = "return ['picture', 'before'].map((id) => {
        const canvas = new OffscreenCanvas(32, 32);
        const context = canvas.getContext('2d');
        context.drawImage(document.getElementById(id), 0, 0, 32, 32);
        return Array.from(context.getImageData(0, 0, 32, 32).data);
    })";
    let both = browser.run(script)?;
    Ok([pixels(&both[0])?, pixels(&both[1])?])
}

fn pixels(values: &Value) -> Result<Pixels> {
    let bytes: Vec<f64> = values.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    ensure!(bytes.len() == 32 * 32 * 4, "no picture: {values}");
    Ok(bytes.chunks_exact(4).map(|pixel| [pixel[0] / 255.0, pixel[1] / 255.0, pixel[2] / 255.0]).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn brightness(picture: &Pixels) -> Vec<f64> {
    picture.iter().map(|pixel| mean(pixel)).collect()
}

/// How much two pictures are light and dark in the same places: 1 for the same, about 0 for others (Pearson).
fn likeness(one: &Pixels, other: &Pixels) -> f64 {
    let [one, other] = [brightness(one), brightness(other)];
    let [of_one, of_other] = [mean(&one), mean(&other)];
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        one.iter().zip(&other).map(|(a, b)| of(a - of_one, b - of_other)).sum()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

/// How far two pictures are apart: 0 for the same one.
fn difference(one: &Pixels, other: &Pixels) -> f64 {
    let apart = |(one, other): (&[f64; 3], &[f64; 3])| (0..3).map(|at| (one[at] - other[at]).abs()).sum::<f64>() / 3.0;
    mean(&one.iter().zip(other).map(apart).collect::<Vec<f64>>())
}

/// How colourful a picture is: 0 for shades of grey.
fn colour(picture: &Pixels) -> f64 {
    let spread =
        |pixel: &[f64; 3]| pixel.iter().copied().fold(0.0, f64::max) - pixel.iter().copied().fold(1.0, f64::min);
    mean(&picture.iter().map(spread).collect::<Vec<f64>>())
}

/// The clip as Chromium's fake camera wants it: one JPEG after the other.
fn film(path: &Path) -> Result<()> {
    let mut clip = VideoCapture::from_file(root().join("assets/clip.mp4"), CAP_ANY)?;
    let (mut picture, mut film) = (Mat::default(), Vec::new());
    for _ in 0..FILM {
        ensure!(clip.read(&mut picture)?, "the clip has fewer pictures");
        let mut jpeg = Vector::<u8>::new();
        imgcodecs::imencode(".jpg", &picture, &mut jpeg, &Vector::new())?;
        film.extend(jpeg);
    }
    Ok(fs::write(path, film)?)
}

fn ones_own_picture_comes_back_painted(browser: &Browser) -> Result<()> {
    browser.click("tab-own")?;
    browser.wait_until(
        "one's own picture",
        "document.body.dataset.mode === 'own' && document.body.dataset.state === 'live'",
    )?;
    let like = |browser: &Browser| pair(browser).map(|[after, before]| likeness(&after, &before));
    wait_for("a picture like the camera's", || like(browser).is_ok_and(|like| like > 0.8))?;
    browser.screenshot("visitor")?;
    // It moves.
    let first = canvas(browser, "picture")?;
    wait_for("another picture", || canvas(browser, "picture").is_ok_and(|now| difference(&first, &now) > 0.01))?;
    browser.wait_until("figures", "Number(document.getElementById('fps').innerText) > 0 && parseFloat(document.getElementById('age').innerText) > 0")
}

fn a_prompt_repaints_it_and_it_stays_ones_own(browser: &Browser, mirror: &Running) -> Result<()> {
    let before = canvas(browser, "picture")?;
    browser.type_into("prompt", &format!("a pencil drawing{ENTER}"))?;
    let drawn =
        |[after, source]: [Pixels; 2]| colour(&after) < colour(&before) / 2.0 && likeness(&after, &source) > 0.4;
    wait_for("a drawing of what the camera sees", || pair(browser).is_ok_and(drawn))?;
    browser.wait_until("the page's word for it", "document.getElementById('painting').hidden
        && document.getElementById('picture').getAttribute('aria-label') === 'Live picture of your camera, painted as: a pencil drawing'")?;
    let house = mirror.get("/api/settings")?;
    ensure!(house["settings"]["prompt"] != "a pencil drawing", "the house is painted so as well");
    Ok(())
}

fn before_and_after_lie_side_by_side(browser: &Browser) -> Result<()> {
    browser.click("compare")?;
    browser.press("split", HOME)?;
    let split = |browser: &Browser| browser.run("return getComputedStyle(document.getElementById('before')).clipPath");
    ensure!(split(browser)?.as_str().is_some_and(|clip| clip.contains("100%")), "{}", split(browser)?);
    browser.press("split", END)?;
    ensure!(split(browser)?.as_str().is_some_and(|clip| clip.contains("0%")), "{}", split(browser)?);
    browser.run(
        "document.getElementById('split').value = 50;
        document.getElementById('split').dispatchEvent(new Event('input'))",
    )?;
    browser.screenshot("visitor-compare")?;
    browser.click("compare")
}

fn a_slider_changes_it(browser: &Browser) -> Result<()> {
    // Opacity 0: the camera's picture itself.
    browser.press("setting-opacity-slider", HOME)?;
    let same =
        |[after, before]: [Pixels; 2]| difference(&after, &before) < 0.05 && colour(&after) > 0.7 * colour(&before);
    wait_for("the camera's own picture", || pair(browser).is_ok_and(same))?;
    browser.press("setting-opacity-slider", END)?;
    wait_for("the drawing again", || pair(browser).is_ok_and(|[after, before]| colour(&after) < 0.7 * colour(&before)))
}

fn another_page_sees_it_and_cannot_change_it(browser: &Browser, mirror: &Running) -> Result<Browser> {
    browser.click("share")?;
    let link = browser.run("return document.getElementById('share-link').value")?;
    let link = link.as_str().ok_or_else(|| eyre!("no link"))?.to_owned();
    ensure!(link.starts_with(&format!("{}/?stream=", mirror.page())), "{link}");
    browser.screenshot("visitor-share")?;
    browser.run("document.getElementById('share-dialog').close()")?;
    let friend = Browser::open(&link)?;
    friend.wait_until(
        "a live picture",
        "document.body.dataset.mode === 'guest' && document.body.dataset.state === 'live'",
    )?;
    let alike = || Ok::<_, eyre::Report>(difference(&canvas(browser, "picture")?, &canvas(&friend, "picture")?));
    wait_for("the same picture", || alike().is_ok_and(|apart| apart < 0.1))?;
    let said = friend.run("return [document.getElementById('prompt').matches(':disabled'), document.getElementById('setting-seed').matches(':disabled')]")?;
    ensure!(said == serde_json::json!([true, true]), "who only watches may set something: {said}");
    browser.wait_until("word of who watches", "document.getElementById('viewers').innerText === '1'")?;
    friend.resize(420, 900)?;
    friend.screenshot("guest-phone")?;
    Ok(friend)
}

#[test]
fn a_visitor_is_painted_changes_how_and_is_seen_by_a_friend() -> Result<()> {
    let _alone = alone();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("camera.mjpeg");
    film(&path)?;
    let mirror = Running::start(&["--source", "pattern", "--size", "256"])?;
    let shown =
        wait_for("a picture", || mirror.get("/api/figures").is_ok_and(|figures| figures["frames"].as_u64() > Some(5)));
    assert!(shown.is_ok(), "{shown:?}\n{}", mirror.log());
    let browser = Browser::open_with_camera(&mirror.page(), &path)?;
    browser.wait_until("the mirror's picture", "document.body.dataset.state === 'live'")?;
    browser.screenshot("house")?;

    ones_own_picture_comes_back_painted(&browser)?;
    a_prompt_repaints_it_and_it_stays_ones_own(&browser, &mirror)?;
    before_and_after_lie_side_by_side(&browser)?;
    a_slider_changes_it(&browser)?;
    let friend = another_page_sees_it_and_cannot_change_it(&browser, &mirror)?;
    assert_eq!(browser.complaints()?, [""; 0]);
    assert_eq!(friend.complaints()?, [""; 0]);

    browser.click("stop")?;
    friend
        .wait_until("word of the end", "document.getElementById('veil-title').innerText === 'This stream is not on'")?;
    browser.wait_until(
        "the mirror again",
        "document.body.dataset.mode === 'house' && document.body.dataset.state === 'live'",
    )?;
    Ok(())
}

#[test]
fn a_camera_that_is_not_allowed_is_said_with_what_to_do() -> Result<()> {
    let _alone = alone();
    let mirror = Running::start(&["--source", "pattern", "--size", "256"])?;
    wait_for("the page", || mirror.get("/api/streams").is_ok_and(|streams| streams["sees"] == true))?;
    let browser = Browser::open_with(&mirror.page(), &["--use-fake-device-for-media-stream"])?;
    browser.permit("camera", "denied")?;
    browser.wait_until("the page", "!document.getElementById('tab-own').hidden")?;
    browser.click("tab-own")?;
    browser.wait_until(
        "the reason",
        "document.body.dataset.state === 'off'
        && document.getElementById('veil-title').innerText === 'The camera is not allowed'",
    )?;
    browser.screenshot("not-allowed")?;
    // Once it is, the button does it.
    browser.permit("camera", "granted")?;
    browser.click("veil-action")?;
    browser.wait_until(
        "one's own picture",
        "document.body.dataset.mode === 'own' && document.body.dataset.state === 'live'",
    )
}
