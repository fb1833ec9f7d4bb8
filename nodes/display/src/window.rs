//! The window: opening, keys, full screen.

use crate::monitor::Monitor;
use crate::paint::Canvas;
use eyre::{Result, eyre};
use minifb::{InputCallback, Key, Scale, ScaleMode, Window, WindowOptions};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

/// What somebody asked for with the keys or the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `q`, Escape, the window's close button.
    Quit,
    /// `f`: figures on the picture, on or off.
    Figures,
    /// `F11`: full screen, on or off.
    FullScreen,
}

impl Wish {
    fn of(key: Key) -> Option<Self> {
        match key {
            Key::Q | Key::Escape => Some(Self::Quit),
            Key::F => Some(Self::Figures),
            Key::F11 => Some(Self::FullScreen),
            _ => None,
        }
    }
}

/// Keys as they go down. A key that is held counts once, one that was down and up between two looks is not lost.
#[derive(Debug, Default)]
struct Keys {
    down: HashSet<u8>,
    wishes: Vec<Wish>,
}

impl Keys {
    fn change(&mut self, key: Key, down: bool) {
        if !down {
            self.down.remove(&(key as u8));
        } else if self.down.insert(key as u8) {
            self.wishes.extend(Wish::of(key));
        }
    }
}

struct Listener(Rc<RefCell<Keys>>);

impl InputCallback for Listener {
    fn add_char(&mut self, _character: u32) {}

    fn set_key_state(&mut self, key: Key, down: bool) {
        self.0.borrow_mut().change(key, down);
    }
}

/// An open window.
pub struct Screen {
    window: Window,
    keys: Rc<RefCell<Keys>>,
    title: String,
    size: [usize; 2],
    fullscreen: bool,
}

impl Screen {
    /// Opens a window of that many rows and columns, or over the whole screen.
    ///
    /// # Errors
    /// There is no screen to open it on.
    pub fn open(title: &str, size: [usize; 2], fullscreen: bool) -> Result<Self> {
        let keys = Rc::new(RefCell::new(Keys::default()));
        let monitor = fullscreen.then(|| Monitor::at([0, 0])).flatten();
        let window = window(title, size, monitor, &keys)?;
        Ok(Self { window, keys, title: title.to_owned(), size, fullscreen: monitor.is_some() })
    }

    /// Rows and columns now: people resize windows.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        let (width, height) = self.window.get_size();
        [height, width]
    }

    /// Shows a canvas. When this returns, the window's content has been replaced.
    ///
    /// # Errors
    /// The window cannot be drawn into.
    pub fn show(&mut self, canvas: &Canvas) -> Result<()> {
        let [height, width] = canvas.window();
        if height == 0 || width == 0 {
            self.window.update();
            return Ok(());
        }
        self.window
            .update_with_buffer(canvas.pixels(), width, height)
            .map_err(|error| eyre!("the window cannot be drawn into: {error}"))
    }

    /// What was asked for since the last call.
    pub fn wishes(&mut self) -> Vec<Wish> {
        let mut wishes = std::mem::take(&mut self.keys.borrow_mut().wishes);
        if !self.window.is_open() {
            wishes.push(Wish::Quit);
        }
        wishes
    }

    /// Goes to full screen, on the screen where the window is, or back to a window.
    ///
    /// # Errors
    /// Where the screens are is not known (no X11), or the new window cannot be opened; the old one stays.
    pub fn toggle_fullscreen(&mut self) -> Result<()> {
        let monitor = if self.fullscreen {
            None
        } else {
            let (column, row) = self.window.get_position();
            let [height, width] = self.size();
            let middle = [row.saturating_add_unsigned(height / 2), column.saturating_add_unsigned(width / 2)];
            let monitor = Monitor::at(middle);
            Some(monitor.ok_or_else(|| eyre!("full screen needs X11, which does not answer here"))?)
        };
        if monitor.is_some() {
            self.size = self.size();
        }
        self.window = window(&self.title, self.size, monitor, &self.keys)?;
        self.fullscreen = monitor.is_some();
        // The old window took the releases of its keys along.
        self.keys.borrow_mut().down.clear();
        Ok(())
    }
}

fn window(
    title: &str,
    [height, width]: [usize; 2],
    monitor: Option<Monitor>,
    keys: &Rc<RefCell<Keys>>,
) -> Result<Window> {
    let options = WindowOptions {
        borderless: monitor.is_some(),
        resize: true,
        scale: Scale::X1,
        // The canvas has the window's size; if the window has just been resized, nothing is scaled twice.
        scale_mode: ScaleMode::UpperLeft,
        ..WindowOptions::default()
    };
    let [height, width] = monitor.map_or([height, width], |monitor| monitor.size);
    let mut window =
        Window::new(title, width, height, options).map_err(|error| eyre!("no window could be opened: {error}"))?;
    // No pause of minifb's own after an update: the next picture must not wait.
    window.set_target_fps(0);
    window.set_input_callback(Box::new(Listener(keys.clone())));
    if let Some(Monitor { corner: [row, column], .. }) = monitor {
        window.set_position(column, row);
        window.set_cursor_visibility(false);
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_held_counts_once() {
        let mut keys = Keys::default();
        for _ in 0..5 {
            keys.change(Key::F, true);
        }
        keys.change(Key::F, false);
        keys.change(Key::F, true);
        assert_eq!(keys.wishes, [Wish::Figures, Wish::Figures]);
    }

    #[test]
    fn keys_without_a_meaning_do_nothing() {
        let mut keys = Keys::default();
        keys.change(Key::A, true);
        keys.change(Key::Escape, true);
        assert_eq!(keys.wishes, [Wish::Quit]);
    }
}
