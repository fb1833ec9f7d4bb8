//! A visitor with a camera: the page in a real browser, whose camera plays a film.

use eyre::{Result, ensure, eyre};
use mirror_tests::browser::{Browser, ENTER};
use mirror_tests::running::{Running, wait_for};
use mirror_tests::{alone, root};
use opencv::core::Vector;
use opencv::imgcodecs;
use opencv::prelude::*;
use opencv::videoio::{CAP_ANY, VideoCapture};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Keys of WebDriver (17.4.2): to the least value of a slider, to the greatest.
const HOME: &str = "\u{E011}";
const END: &str = "\u{E010}";
/// The longest that a visitor waits for the first painted picture, of a mirror that is live.
const FIRST: Duration = Duration::from_secs(10);
/// A name that leads to this machine, and that browsers do not know for its own.
const ELSEWHERE: &str = "mirror.test";

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

/// The file with such an ending that the browser has saved in that folder.
fn saved(folder: &Path, endings: &[&str]) -> Result<PathBuf> {
    let find = || {
        let mut files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|path| {
            let is_one = path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending));
            is_one && fs::metadata(path).is_ok_and(|file| file.len() > 0)
        })
    };
    wait_for(&format!("a file of {endings:?}"), || find().is_some())?;
    find().ok_or_else(|| eyre!("the file of {endings:?} is gone"))
}

fn ones_own_picture_comes_back_painted(browser: &Browser) -> Result<()> {
    let clicked = Instant::now();
    browser.click("tab-own")?;
    // Live is what has drawn a picture that came back.
    browser.wait_until("one's own picture", OWN)?;
    let waited = clicked.elapsed();
    ensure!(waited < FIRST, "the first picture came after {waited:?}");
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

fn keys_do_what_buttons_do(browser: &Browser, folder: &Path) -> Result<()> {
    let pressed =
        |id: &str, is: bool| format!("document.getElementById('{id}').getAttribute('aria-pressed') === '{is}'");
    browser.save_into(folder)?;
    browser.shortcut("s")?;
    let picture = saved(folder, &["jpg"])?;
    ensure!(
        picture.file_name().is_some_and(|name| name.to_string_lossy().starts_with("a-pencil-drawing-")),
        "{picture:?}"
    );
    ensure!(!imgcodecs::imread(&*picture.to_string_lossy(), imgcodecs::IMREAD_COLOR)?.empty(), "{picture:?} is none");

    browser.shortcut("r")?;
    // The clock beside it runs.
    let films =
        "!document.getElementById('filming').hidden && document.getElementById('filming').textContent > '● 0:00'";
    browser.wait_until("a film", &format!("{} && {films}", pressed("record", true)))?;
    browser.shortcut("r")?;
    let over = "document.getElementById('filming').hidden";
    browser.wait_until("the end of the film", &format!("{} && {over}", pressed("record", false)))?;
    let film = saved(folder, &["mp4", "webm"])?;
    ensure!(fs::metadata(&film)?.len() > 1000, "{film:?} holds nothing");

    browser.shortcut("b")?;
    let split = "document.getElementById('split')";
    let lies = format!("{} && !{split}.disabled && {split}.checkVisibility()", pressed("compare", true));
    browser.wait_until("before and after", &lies)?;
    browser.shortcut("b")?;
    browser.wait_until("after alone", &format!("{} && !{split}.checkVisibility()", pressed("compare", false)))?;

    browser.shortcut("f")?;
    browser.wait_until("the picture on the whole screen", "document.fullscreenElement?.id === 'frame'")?;
    browser.shortcut("f")?;
    browser.wait_until("the page again", "!document.fullscreenElement")?;

    browser.shortcut("c")?;
    browser.wait_until("the camera's own picture", &pressed("camera", true))?;
    browser.shortcut("c")?;
    browser.wait_until("the painting", &pressed("camera", false))?;

    browser.shortcut("/")?;
    browser.wait_until("the prompt's field", "document.activeElement.id === 'prompt'")
}

fn a_suggestion_becomes_the_prompt(browser: &Browser) -> Result<()> {
    let other = "#looks [aria-pressed=false]";
    let look = browser.run(&format!("return document.querySelector('{other}').textContent"))?;
    browser.click_first(other)?;
    browser.wait_until(
        "the suggestion as the prompt",
        &format!(
            "document.getElementById('prompt').value === {look}
            && document.querySelector('#looks [aria-pressed=true]').textContent === {look}
            && document.getElementById('picture').getAttribute('aria-label').endsWith('painted as: ' + {look})"
        ),
    )
}

/// As a screen reader finds it, of all that people use.
fn everything_has_a_name(browser: &Browser) -> Result<()> {
    let nameless = browser.run(
        "const isNamed = (one) => one.ariaLabel || one.title || [...one.labels].some((label) => label.textContent.trim())
            || (one.matches('button') && one.textContent.trim());
        return [...document.querySelectorAll('button, input, select')]
            .filter((one) => !one.closest('[hidden]') && !isNamed(one)).map((one) => one.outerHTML)",
    )?;
    ensure!(nameless == json!([]), "without a name: {nameless}");
    Ok(())
}

/// Nothing has to be pushed sideways.
fn it_fits_a_phone(browser: &Browser) -> Result<()> {
    browser.resize(420, 900)?;
    browser.wait_until("a narrow window", "innerWidth <= 420")?;
    let wide = browser.run(
        "const { clientWidth, scrollWidth } = document.documentElement;
        const isWide = (one) => one.getBoundingClientRect().right > clientWidth;
        return scrollWidth <= clientWidth ? []
            : [...document.querySelectorAll('body *')].filter(isWide).map((one) => one.id || one.tagName)",
    )?;
    ensure!(wide == json!([]), "too wide for a phone: {wide}");
    Ok(())
}

fn another_page_sees_it_and_cannot_change_it(browser: &Browser, mirror: &Running) -> Result<Browser> {
    browser.click("share")?;
    let link = browser.run("return document.getElementById('share-link').value")?;
    let link = link.as_str().ok_or_else(|| eyre!("no link"))?.to_owned();
    ensure!(link.starts_with(&format!("{}/?stream=", mirror.page())), "{link}");
    browser.wait_until(
        "word of where the link leads",
        "document.getElementById('share-who').innerText.includes('on this machine alone')",
    )?;
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
    ensure!(said == json!([true, true]), "who only watches may set something: {said}");
    browser.wait_until("word of who watches", "document.getElementById('viewers').innerText === '1'")?;
    it_fits_a_phone(&friend)?;
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
    mirror.paints(None)?;
    let browser = Browser::open_with_camera(&mirror.page(), &path)?;
    browser.wait_until("the mirror's picture", "document.body.dataset.state === 'live'")?;
    browser.screenshot("house")?;

    ones_own_picture_comes_back_painted(&browser)?;
    a_prompt_repaints_it_and_it_stays_ones_own(&browser, &mirror)?;
    before_and_after_lie_side_by_side(&browser)?;
    a_slider_changes_it(&browser)?;
    keys_do_what_buttons_do(&browser, folder.path())?;
    a_suggestion_becomes_the_prompt(&browser)?;
    everything_has_a_name(&browser)?;
    it_fits_a_phone(&browser)?;
    browser.screenshot("visitor-phone")?;
    browser.resize(1280, 1000)?;
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

/// The page shows one's own picture.
const OWN: &str = "document.body.dataset.mode === 'own' && document.body.dataset.state === 'live'";

/// Instead of a picture the page shows that title, above a text with those words.
fn is_off(title: &str, words: &str) -> String {
    format!(
        "document.body.dataset.state === 'off'
        && document.getElementById('veil-title').innerText === '{title}'
        && document.getElementById('veil-text').innerText.includes('{words}')"
    )
}

fn a_camera_that_is_not_allowed_is_said_with_what_to_do(browser: &Browser) -> Result<()> {
    browser.permit("camera", "denied")?;
    browser.wait_until("the page", "!document.getElementById('tab-own').hidden")?;
    browser.click("tab-own")?;
    browser.wait_until("the reason", &is_off("The camera is not allowed", ""))?;
    browser.screenshot("not-allowed")?;
    // Once it is, the button does it.
    browser.permit("camera", "granted")?;
    browser.click("veil-action")?;
    browser.wait_until("one's own picture", OWN)
}

fn a_full_mirror_says_so_and_takes_the_next_one_when_somebody_goes(first: &Browser, next: &Browser) -> Result<()> {
    next.click("tab-own")?;
    next.wait_until("the reason", &is_off("The mirror is full", "tries again by itself"))?;
    next.screenshot("full")?;
    first.click("stop")?;
    next.wait_until("the next one's picture", OWN)?;
    next.click("stop")
}

fn a_page_without_https_says_what_it_needs_and_whom_its_link_is_for(browser: &Browser) -> Result<()> {
    browser.wait_until("the page", "!isSecureContext && !document.getElementById('tab-own').hidden")?;
    browser.click("tab-own")?;
    browser.wait_until("the reason", &is_off("HTTPS is needed", "https://"))?;
    browser.screenshot("no-https")?;
    browser.click("share")?;
    browser.wait_until("word of the token", "document.getElementById('share-who').innerText.includes('access token')")
}

#[test]
fn who_cannot_be_painted_is_told_why_and_what_to_do() -> Result<()> {
    let _alone = alone();
    // Open to the network, so that it answers to a name other than this machine's own. The token keeps others out.
    let others = ["--realtime", "off", "--live", "off", "--dream", "off"];
    let open = ["--source", "pattern", "--size", "256", "--host", "0.0.0.0", "--streams-max", "1"];
    let mirror = Running::start(&[&open[..], &others].concat())?;
    let token = || Ok::<_, eyre::Report>(fs::read_to_string(root().join(".mirror/token"))?.trim().to_owned());
    let sees = |token: String| mirror.get(&format!("/api/streams?token={token}"));
    wait_for("the page", || token().and_then(sees).is_ok_and(|streams| streams["sees"] == true))
        .map_err(|error| eyre!("{error}\n{}", mirror.log()))?;
    let address = format!("{}/?token={}", mirror.page(), token()?);

    let camera = "--use-fake-device-for-media-stream";
    let first = Browser::open_with(&address, &[camera])?;
    a_camera_that_is_not_allowed_is_said_with_what_to_do(&first)?;
    let next = Browser::open_with(&address, &[camera, "--use-fake-ui-for-media-stream"])?;
    a_full_mirror_says_so_and_takes_the_next_one_when_somebody_goes(&first, &next)?;
    drop((first, next));

    let rules = format!("--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1");
    let far = Browser::open_with(&address.replace("127.0.0.1", ELSEWHERE), &["--no-proxy-server", &rules])?;
    a_page_without_https_says_what_it_needs_and_whom_its_link_is_for(&far)
}
