//! What is where on the screen: who and what at the top, the nodes below, then what they have said last.

use super::rows::{COLUMNS, Mood, UNKNOWN, rows};
use crate::nodes::{Nodes, Visitor};
use crate::page::Figures;
use mirror_kit::figures::Spread;
use ratatui::Frame;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Paragraph, Row, Table};

/// Lines at the top.
const HEAD: u16 = 4;
/// Fewest lines for what the nodes say, with the one above them.
const SAID: u16 = 4;
/// Characters of a visitor's name.
const NAME: usize = 16;

/// What is shown.
#[derive(Debug)]
pub struct Screen {
    address: String,
    figures: Figures,
    nodes: Nodes,
    /// Why the page has not answered.
    fault: Option<String>,
}

impl Screen {
    /// The screen of the mirror on that page, before it has said anything.
    #[must_use]
    pub fn of(address: &str) -> Self {
        Self { address: address.to_owned(), figures: Figures::default(), nodes: Nodes::default(), fault: None }
    }

    /// The page has answered.
    pub fn tell(&mut self, (figures, nodes): (Figures, Nodes)) {
        (self.figures, self.nodes, self.fault) = (figures, nodes, None);
    }

    /// The page has not answered: what was known stays, and does not count as known any more.
    pub fn fail(&mut self, reason: String) {
        self.fault = Some(reason);
    }

    /// The whole screen as text.
    #[must_use]
    pub fn plain(&self, (width, height): (u16, u16)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        // A terminal in memory cannot fail.
        if let Ok(mut terminal) = ratatui::Terminal::new(TestBackend::new(width, height))
            && let Ok(drawn) = terminal.draw(|frame| self.draw(frame))
        {
            buffer.clone_from(drawn.buffer);
        }
        let row = |row: u16| (0..width).map(|at| buffer[(at, row)].symbol()).collect::<String>();
        let rows: Vec<String> = (0..height).map(|at| row(at).trim_end().to_owned()).collect();
        format!("{}\n", rows.join("\n").trim_end())
    }

    /// Draws it.
    pub fn draw(&self, frame: &mut Frame) {
        let table = u16::try_from(self.nodes.nodes.len() + 1).unwrap_or(u16::MAX);
        // With a line between them where there is room.
        let room = frame.area().height.saturating_sub(HEAD + SAID);
        let gap = u16::from(room > table);
        let [head, _, middle, foot] = Layout::vertical([
            Constraint::Length(HEAD),
            Constraint::Length(gap),
            Constraint::Length(table.min(room)),
            Constraint::Fill(1),
        ])
        .areas(frame.area());
        frame.render_widget(Paragraph::new(self.head(usize::from(head.width))), head);
        frame.render_widget(self.table(usize::from(middle.height)), middle);
        frame.render_widget(Paragraph::new(self.foot(usize::from(foot.height))), foot);
    }

    fn head(&self, width: usize) -> Text<'_> {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let Nodes { machine, watching, listening, clients_max, .. } = &self.nodes;
        let on = if machine.is_empty() { String::new() } else { format!(" on {machine}") };
        let title = Line::styled(format!("mirror {}{on}   q quits", self.address), bold);
        let Figures { frames, fps, age_ms: Spread { p50, p99 }, drops, pack, provider, source, prompt, .. } =
            &self.figures;
        let second = match (&self.fault, self.figures.silent_ms) {
            (Some(fault), _) => Line::styled(format!("no answer: {fault}"), Color::Red),
            (None, None) => Line::styled("no picture has come yet", Color::Yellow),
            (None, Some(ms)) if ms > 2000 => {
                Line::styled(format!("no picture for {:.1} s; {frames} were shown", ms as f64 / 1e3), Color::Red)
            }
            (None, Some(_)) => {
                Line::from(format!("{fps:.1} fps · age {p50:.0}/{p99:.0} ms · {frames} shown, {drops} dropped"))
            }
        };
        let mut what = format!("{watching} watch, {listening} listen, of {clients_max}");
        if !pack.is_empty() {
            what = format!("{pack} on {provider} · {what}");
        }
        let visitors = visitors(&self.nodes.visitors, width.saturating_sub(what.chars().count()));
        what.push_str(&visitors);
        if !pack.is_empty() {
            what = format!("{what} · {source}");
        }
        let prompt = if prompt.is_empty() { "no prompt".to_owned() } else { format!("\"{prompt}\"") };
        Text::from(vec![title, second, Line::from(what), Line::from(prompt)])
    }

    fn table(&self, height: usize) -> Table<'_> {
        let heads = COLUMNS.iter().enumerate().map(|(at, (head, _))| cell(at, (*head).to_owned()));
        let heads = Row::new(heads).style(Style::new().add_modifier(Modifier::UNDERLINED));
        let mut all = rows(&self.figures, &self.nodes);
        let room = height.saturating_sub(1);
        let hidden = all.len().saturating_sub(room);
        if hidden > 0 {
            // The last line says what is not there.
            all.truncate(room.saturating_sub(1));
        }
        let mut shown: Vec<Row> = all
            .into_iter()
            .map(|row| {
                let style = match row.mood {
                    _ if self.fault.is_some() => Style::new().add_modifier(Modifier::DIM),
                    Mood::Fine => Style::new(),
                    Mood::Restarted => Style::new().fg(Color::Yellow),
                    Mood::Gone => Style::new().fg(Color::Red),
                    Mood::Unknown => Style::new().add_modifier(Modifier::DIM),
                };
                Row::new(row.cells.into_iter().enumerate().map(|(at, text)| cell(at, text))).style(style)
            })
            .collect();
        if hidden > 0 {
            shown.push(Row::new([format!("+{} more", hidden + 1)]));
        }
        Table::new(shown, COLUMNS.map(|(_, width)| Constraint::Length(width))).header(heads).column_spacing(1)
    }

    fn foot(&self, height: usize) -> Text<'_> {
        let note = format!("times: p50/p99 of 5 s; again: restarts by dora; {UNKNOWN}: not known to the page");
        let mut lines = vec![Line::styled(note, Style::new().add_modifier(Modifier::DIM))];
        let notices = &self.figures.notices;
        let from = notices.len().saturating_sub(height.saturating_sub(1));
        lines.extend(notices[from..].iter().map(|notice| {
            let style = match notice.level.as_str() {
                "error" => Style::new().fg(Color::Red),
                "warning" => Style::new().fg(Color::Yellow),
                _ => Style::new(),
            };
            Line::styled(format!("{:<7} {}: {}", notice.level, notice.origin, notice.text), style)
        }));
        Text::from(lines)
    }
}

/// Who has brought a camera, in so many columns: as many of them as there is room for, with what they see a second.
fn visitors(all: &[Visitor], room: usize) -> String {
    if all.is_empty() {
        return String::new();
    }
    let count = format!(", {} visit", all.len());
    let longer = (1..=all.len()).map(|shown| {
        let labels: Vec<String> = all[..shown].iter().map(|visitor| visitor.label(NAME)).collect();
        let rest = all.len() - shown;
        let more = if rest == 0 { String::new() } else { format!(", +{rest}") };
        format!("{count}: {}{more}", labels.join(", "))
    });
    longer.take_while(|text| text.chars().count() <= room).last().unwrap_or(count)
}

/// Names stand on the left, numbers on the right.
fn cell(column: usize, text: String) -> Cell<'static> {
    let alignment = if column == 0 { Alignment::Left } else { Alignment::Right };
    Cell::new(Text::from(text).alignment(alignment))
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::sample;
    use super::*;
    use crate::nodes::Node;
    use crate::page::Notice;

    fn screen() -> Screen {
        let mut screen = Screen::of("http://tower:8080");
        let (mut figures, nodes) = sample();
        figures.notices = (1..=9)
            .map(|id| {
                let (level, origin) = ("info".to_owned(), "camera".to_owned());
                Notice { id, level, origin, text: format!("line {id}") }
            })
            .collect();
        screen.tell((figures, nodes));
        screen
    }

    #[test]
    fn an_old_terminal_shows_everything() {
        let text = screen().plain((80, 24));
        assert!(text.lines().count() <= 24 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for part in [
            "mirror http://tower:8080 on tower",
            "18.0 fps",
            "starter on CPU · 1 watch, 2 listen, of 32 · film clip.mp4",
            "\"a pencil drawing\"",
            "encoder     30.0     0/120  18.5   4.2/9.7     42/63     58      42   120     0",
            "gone",
            "by hand",
            "info    camera: line 9",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn visitors_are_named_as_far_as_there_is_room() {
        let mut screen = screen();
        let visitor = |name: &str, fps, is_live| Visitor {
            name: name.to_owned(),
            origin: "web".to_owned(),
            is_live,
            fps,
            viewers: 0,
        };
        screen.nodes.visitors = vec![visitor("anna", 8.31, true)];
        let third = |screen: &Screen| screen.plain((80, 24)).lines().nth(2).unwrap_or_default().to_owned();
        let expected = "starter on CPU · 1 watch, 2 listen, of 32, 1 visit: anna 8.3/s · film clip.mp4";
        assert_eq!(third(&screen), expected);
        // From another machine only the protocol is known; who is away may come back.
        screen.nodes.visitors = vec![visitor("", 8.0, true), visitor("bert", 0.0, false)];
        assert!(third(&screen).contains("2 visit: web 8.0/s, bert away"), "{}", third(&screen));
        screen.nodes.visitors.extend((0..7).map(|at| visitor(&format!("long-wanderers-of-{at}"), 1.0, true)));
        assert!(third(&screen).contains("9 visit: web 8.0/s, bert away, +7"), "{}", third(&screen));
        screen.nodes.visitors.rotate_left(2);
        assert!(third(&screen).contains("9 visit: long-wanderers-… 1.0/s, +8"), "{}", third(&screen));
        assert!(!screen.plain((30, 8)).is_empty());
    }

    #[test]
    fn a_page_that_does_not_answer_any_more_is_said_and_what_was_known_stays() {
        let mut screen = screen();
        screen.fail("connection refused".to_owned());
        let text = screen.plain((80, 24));
        assert!(text.contains("no answer: connection refused") && text.contains("encoder"), "{text}");
    }

    #[test]
    fn nodes_that_have_no_place_are_counted() {
        let mut screen = screen();
        let more = (0..20).map(|at| Node { id: format!("node_{at}"), state: "gone".to_owned(), ..Node::default() });
        screen.nodes.nodes.extend(more);
        let text = screen.plain((80, 24));
        // 24 lines: 4 at the top, 4 at the end, a head, 14 nodes, and this one.
        assert!(text.contains("+12 more") && text.contains("info    camera: line 9"), "{text}");
        assert!(!screen.plain((20, 3)).is_empty() && !screen.plain((1, 1)).is_empty());
    }

    #[test]
    fn a_mirror_without_a_picture_says_so() {
        let mut screen = Screen::of("http://tower:8080");
        screen.tell((Figures::default(), Nodes::default()));
        assert!(screen.plain((80, 24)).contains("no picture has come yet"));
    }
}
