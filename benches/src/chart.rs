//! Figures over time, as an SVG drawing.

use std::fmt::Write;

/// A curve: its name, and a value for each time.
pub struct Curve {
    /// What the legend says.
    pub name: String,
    /// `[minutes, value]`, times rising.
    pub points: Vec<[f64; 2]>,
}

/// A panel of a chart: curves that share a unit.
pub struct Panel {
    /// What it shows, with its unit: `memory, MiB`.
    pub title: String,
    /// Its curves.
    pub curves: Vec<Curve>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 220.0;
/// Room for the numbers on the left, and for the legend on the right.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 24.0;
/// Colours that people who see colours differently can tell apart (Okabe and Ito), then the same with gaps in the line.
const COLOURS: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"];

/// The panels above each other, with one scale of minutes.
#[must_use]
pub fn svg(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let times = panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points).map(|[time, _]| *time);
    let end = times.fold(f64::MIN_POSITIVE, f64::max);
    for (number, panel) in panels.iter().enumerate() {
        let _ = writeln!(text, "<g transform=\"translate(0 {})\">", HEIGHT * number as f64);
        draw(&mut text, panel, end);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

fn draw(text: &mut String, panel: &Panel, end: f64) {
    let values = panel.curves.iter().flat_map(|curve| &curve.points).map(|[_, value]| *value);
    let most = round_up(values.fold(0.0, f64::max));
    let across = |time: f64| LEFT + time / end * (WIDTH - LEFT - RIGHT);
    let down = |value: f64| TOP + (1.0 - value / most) * (HEIGHT - TOP - BOTTOM);
    let _ = writeln!(text, "<text x=\"{LEFT}\" y=\"18\" font-weight=\"bold\">{}</text>", panel.title);
    for part in 0..=4 {
        let value = most * f64::from(part) / 4.0;
        let (x, y) = (WIDTH - RIGHT, down(value));
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" x2=\"{x}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 6.0,
            y + 4.0
        );
        let time = end * f64::from(part) / 4.0;
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{time:.1} min</text>",
            across(time),
            HEIGHT - 6.0
        );
    }
    for (number, curve) in panel.curves.iter().enumerate() {
        let (colour, dashes) = (COLOURS[number % COLOURS.len()], if number < COLOURS.len() { "none" } else { "4 2" });
        let points: Vec<String> =
            curve.points.iter().map(|[time, value]| format!("{:.1},{:.1}", across(*time), down(*value))).collect();
        let (x, y) = (WIDTH - RIGHT + 10.0, TOP + 8.0 + 15.0 * number as f64);
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" stroke-dasharray=\"{dashes}\"/>\
             <text x=\"{x}\" y=\"{y}\" fill=\"{colour}\">{}</text>",
            points.join(" "),
            curve.name
        );
    }
}

/// The next 1, 2, 4 or 8 times a power of ten: its quarters are short numbers.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|most| *most >= value).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_a_round_number_above_all_values() {
        for (value, expected) in [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (29.7, 40.0), (81.0, 100.0), (780.0, 800.0)] {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}: {}", round_up(value));
        }
    }

    #[test]
    fn every_curve_is_drawn_and_named() {
        let curve = |name: &str| Curve { name: name.to_owned(), points: vec![[0.0, 1.0], [2.0, 3.0]] };
        let panel = Panel { title: "memory, MiB".to_owned(), curves: vec![curve("encoder"), curve("decoder")] };
        let text = svg(&[panel]);
        assert_eq!(text.matches("<polyline").count(), 2);
        assert!(text.contains(">decoder</text>") && text.contains("memory, MiB") && text.contains("2.0 min"));
        assert!(text.contains("points=\"60.0,154.5 750.0,71.5\""), "{text}");
    }
}
