//! Where the screens are: minifb does not say, X11 does.

use x11_dl::xinerama::Xlib as Xinerama;
use x11_dl::xlib::{Display, Xlib};

/// A screen: its first row and column, its rows and columns, in pixels of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monitor {
    /// First row and column.
    pub corner: [isize; 2],
    /// Rows and columns.
    pub size: [usize; 2],
}

impl Monitor {
    fn holds(&self, [row, column]: [isize; 2]) -> bool {
        let inside = |axis: usize, at: isize| {
            at >= self.corner[axis] && at < self.corner[axis].saturating_add_unsigned(self.size[axis])
        };
        inside(0, row) && inside(1, column)
    }

    /// The screen on which that pixel of the desktop is, else the first. `None`: no X11.
    #[must_use]
    pub fn at(pixel: [isize; 2]) -> Option<Self> {
        let monitors = monitors();
        monitors.iter().find(|monitor| monitor.holds(pixel)).or_else(|| monitors.first()).copied()
    }
}

/// All screens of the X11 desktop; none without one.
fn monitors() -> Vec<Monitor> {
    let Ok(xlib) = Xlib::open() else { return Vec::new() };
    // SAFETY: a null name asks for the display of the environment; the result is checked and closed below.
    let display = unsafe { (xlib.XOpenDisplay)(std::ptr::null()) };
    if display.is_null() {
        return Vec::new();
    }
    let mut monitors = separate(&xlib, display);
    if monitors.is_empty() {
        // SAFETY: the display is open.
        let (width, height) = unsafe {
            let screen = (xlib.XDefaultScreen)(display);
            ((xlib.XDisplayWidth)(display, screen), (xlib.XDisplayHeight)(display, screen))
        };
        monitors.push(Monitor { corner: [0, 0], size: [height.max(1) as usize, width.max(1) as usize] });
    }
    // SAFETY: the display is open and not used after this.
    unsafe { (xlib.XCloseDisplay)(display) };
    monitors
}

/// The screens of a desktop that spans several; empty where the server or the library does not tell.
fn separate(xlib: &Xlib, display: *mut Display) -> Vec<Monitor> {
    let Ok(xinerama) = Xinerama::open() else { return Vec::new() };
    let mut count = 0;
    // SAFETY: the display is open; the server is asked for its screens only if it has the extension.
    let screens = unsafe {
        if (xinerama.XineramaIsActive)(display) == 0 {
            return Vec::new();
        }
        (xinerama.XineramaQueryScreens)(display, &raw mut count)
    };
    if screens.is_null() {
        return Vec::new();
    }
    // SAFETY: X11 gave `count` screens at this address, which stay until they are freed below.
    let monitors = unsafe { std::slice::from_raw_parts(screens, usize::try_from(count).unwrap_or(0)) }
        .iter()
        .filter(|screen| screen.width > 0 && screen.height > 0)
        .map(|screen| Monitor {
            corner: [isize::from(screen.y_org), isize::from(screen.x_org)],
            size: [screen.height as usize, screen.width as usize],
        })
        .collect();
    // SAFETY: the address came from X11 and is not used after this.
    unsafe { (xlib.XFree)(screens.cast()) };
    monitors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_belongs_to_the_screen_that_shows_it() {
        let right = Monitor { corner: [0, 1920], size: [1080, 1920] };
        assert!(right.holds([0, 1920]) && right.holds([1079, 3839]));
        assert!(!right.holds([0, 1919]) && !right.holds([1080, 2000]) && !right.holds([-1, 2000]));
    }
}
