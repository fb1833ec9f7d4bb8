//! The window, for real: a small dataflow, its display on a virtual screen (Xvfb), looked at pixel by pixel.

#[path = "../../../../tests/support/desktop.rs"]
mod desktop;
mod graph;

use desktop::Desktop;
use graph::Graph;
use std::time::{Duration, Instant};

const RED: u32 = 0x00ff_0000;
const BLUE: u32 = 0x0000_00ff;
const BLACK: u32 = 0;

/// Starting a dataflow takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something to become true.
fn eventually(what: &str, graph: &Graph, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}; the log:\n{}", graph.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_window_shows_the_picture_and_obeys_its_keys_and_closing_it_leaves_the_mirror_running() {
    let desktop = Desktop::start(700, 1000);
    let graph = Graph::start(Some(desktop.name()), "{ DISPLAY_TITLE: halves }");

    // 512 × 512 in the middle of the screen: rows 94 to 605, columns 244 to 755.
    eventually("a red left and a blue right half", &graph, || {
        desktop.pixel(350, 300) == RED && desktop.pixel(350, 700) == BLUE
    });
    assert_eq!(desktop.pixel(350, 100), BLACK, "outside the window");

    let figures = || desktop.count(100..300, 250..500, 0x00ff_ffff) > 200;
    assert!(!figures(), "figures that nobody asked for");
    desktop.press(b"f\0");
    eventually("figures on the picture", &graph, figures);
    desktop.press(b"f\0");
    eventually("the figures gone", &graph, || !figures());

    // Full screen: 700 × 700 in the middle of 700 × 1000.
    desktop.press(b"F11\0");
    eventually("the full screen", &graph, || desktop.pixel(5, 200) == RED && desktop.pixel(690, 800) == BLUE);
    desktop.press(b"F11\0");
    eventually("the window again", &graph, || desktop.pixel(5, 200) == BLACK && desktop.pixel(350, 300) == RED);

    desktop.press(b"q\0");
    eventually("the window closed", &graph, || desktop.pixel(350, 300) == BLACK);
    eventually("a notice", &graph, || graph.log().contains("window closed"));
    let sent = graph.count("pictures sent");
    eventually("the source going on", &graph, || graph.count("pictures sent") > sent + 3);
    assert_eq!(desktop.pixel(350, 300), BLACK, "a display that has ended well is not started again");
}

#[test]
fn without_a_screen_the_display_says_so_and_goes_on_measuring() {
    let graph = Graph::start(None, "{}");
    eventually("a line that says so", &graph, || graph.log().contains("no screen, the display only measures"));
    eventually("figures in the log", &graph, || graph.log().contains("fps, age"));
    assert!(graph.log().contains("prompt \"red and blue halves\", pack none on CPU"), "{}", graph.log());
}

#[test]
fn a_window_that_was_asked_for_and_cannot_be_had_is_an_error() {
    let graph = Graph::start(None, "{ DISPLAY_WINDOW: 'on' }");
    eventually("one clear line", &graph, || graph.log().contains("display: no window could be opened"));
}

#[test]
fn a_misspelt_key_is_an_error_that_names_it() {
    let graph = Graph::start(None, "{ DISPLAY_FULSCREEN: 'on' }");
    eventually("one clear line", &graph, || {
        graph.log().contains("DISPLAY_FULSCREEN is not a setting of this node; its settings are DISPLAY_WINDOW")
    });
}
