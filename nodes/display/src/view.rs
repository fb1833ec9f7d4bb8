//! What is in the window: the newest picture, figures and notice if asked for.

use crate::config::{Config, Wanted};
use crate::overlay;
use crate::paint::Canvas;
use crate::window::{Screen, Wish};
use eyre::Result;
use mirror_contract::{Frame, Notice};
use mirror_imaging::text::{Behind, Letters, Packed, Style, draw, wrap};
use mirror_kit::Summary;

/// How long a notice stays on the picture.
const NOTICE_NS: i64 = 5_000_000_000;
/// The line in a window that has no picture yet.
const WAITING: &str = "waiting for the first picture";

/// What became of a look at the keys.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The view goes on.
    Open,
    /// Somebody closed the window.
    Closed,
}

/// The window and what is in it. Without a window it holds nothing and shows nothing.
pub struct View {
    screen: Option<Screen>,
    canvas: Canvas,
    /// The newest picture stays, where it arrived: it is painted again when the window or the figures change.
    picture: Option<Frame>,
    fresh: bool,
    figures: bool,
    text: String,
    notice: Option<(i64, String)>,
}

impl View {
    /// Opens the window that the configuration asks for; the text says why there is none, where there is none.
    ///
    /// # Errors
    /// `DISPLAY_WINDOW=on` and no window can be opened.
    pub fn open(config: &Config) -> Result<(Self, Option<String>)> {
        let opened = match config.window {
            Wanted::Off => Err("DISPLAY_WINDOW=off: no window, the display only measures".to_owned()),
            Wanted::On => Ok(Screen::open(&config.title, config.size, config.fullscreen)?),
            Wanted::Auto => Screen::open(&config.title, config.size, config.fullscreen)
                .map_err(|error| format!("no screen, the display only measures ({error:#})")),
        };
        let (screen, reason) = match opened {
            Ok(screen) => (Some(screen), None),
            Err(reason) => (None, Some(reason)),
        };
        let view = Self {
            screen,
            canvas: Canvas::default(),
            picture: None,
            fresh: false,
            figures: config.figures,
            text: String::new(),
            notice: None,
        };
        Ok((view, reason))
    }

    /// Shows a picture. When this returns it is in the window.
    ///
    /// # Errors
    /// The window cannot be drawn into.
    pub fn show(&mut self, picture: Frame, now_ns: i64) -> Result<()> {
        if self.screen.is_none() {
            return Ok(());
        }
        self.picture = Some(picture);
        self.fresh = true;
        self.paint(now_ns)
    }

    /// A notice for people; the newest one is shown.
    pub fn tell(&mut self, notice: &Notice, now_ns: i64) {
        self.notice = Some((now_ns, format!("{}: {}", notice.origin, notice.text)));
    }

    /// Paints again if no picture has done so since the last call: a covered window comes back, a notice goes. The figures are
    /// asked for only if they are shown.
    ///
    /// # Errors
    /// The window cannot be drawn into.
    pub fn refresh(&mut self, summary: impl FnOnce() -> Summary, now_ns: i64) -> Result<()> {
        let Some(screen) = &self.screen else { return Ok(()) };
        if self.figures {
            let [_, width] = style(screen.size()).character();
            self.text = overlay::lines(&summary(), (screen.size()[1] / width.max(1)).saturating_sub(4));
        }
        if std::mem::take(&mut self.fresh) { Ok(()) } else { self.paint(now_ns) }
    }

    fn paint(&mut self, now_ns: i64) -> Result<()> {
        let Some(screen) = &mut self.screen else { return Ok(()) };
        let size = screen.size();
        match &self.picture {
            Some(picture) => self.canvas.paint(&picture.pixels, [picture.height, picture.width], size),
            None => self.canvas.clear(size),
        }
        let style = style(size);
        let [height, width] = style.character();
        let mut surface = Packed::new(self.canvas.pixels_mut(), size[1]);
        let waiting = self.picture.is_none();
        if waiting || self.figures {
            let text = if waiting { WAITING } else { &self.text };
            if !text.is_empty() {
                draw(&mut surface, [8, 8], text, &style);
            }
            let current = self.notice.as_ref().filter(|(since, _)| waiting || now_ns - since < NOTICE_NS);
            if let Some((_, notice)) = current {
                let lines = wrap(notice, (size[1] / width.max(1)).saturating_sub(4));
                let below = lines.len() * height + 2 * style.margin() + 8;
                let row = i32::try_from(size[0]).unwrap_or(i32::MAX) - i32::try_from(below).unwrap_or(0);
                draw(&mut surface, [row, 8], &lines.join("\n"), &style);
            }
        }
        screen.show(&self.canvas)
    }

    /// Does what the keys ask for.
    ///
    /// # Errors
    /// The full screen was asked for and cannot be had; the window stays as it was.
    pub fn obey(&mut self) -> Result<Outcome> {
        let Some(screen) = &mut self.screen else { return Ok(Outcome::Open) };
        for wish in screen.wishes() {
            match wish {
                Wish::Quit => return Ok(Outcome::Closed),
                Wish::Figures => {
                    self.figures = !self.figures;
                    self.fresh = false;
                }
                Wish::FullScreen => {
                    screen.toggle_fullscreen()?;
                    self.fresh = false;
                }
            }
        }
        Ok(Outcome::Open)
    }
}

/// Letters that can be read at the window's size.
fn style([height, width]: [usize; 2]) -> Style {
    let (letters, scale) = match height.min(width) {
        0..400 => (Letters::Small, 1),
        400..900 => (Letters::Large, 1),
        side => (Letters::Large, side / 900 + 1),
    };
    Style { letters, scale, behind: Behind::Box, ..Style::default() }
}
