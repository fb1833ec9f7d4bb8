//! A virtual screen of its own, to look at and to type on.

use std::ffi::CString;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use x11_dl::xlib::{Display, KeyPress, KeyPressMask, KeyRelease, KeyReleaseMask, XEvent, XKeyEvent, Xlib, ZPixmap};

/// An Xvfb that runs until it is dropped.
pub struct Desktop {
    server: Child,
    name: String,
    xlib: Xlib,
    display: *mut Display,
}

impl Desktop {
    /// A black screen of that many rows and columns.
    ///
    /// # Panics
    /// There is no Xvfb, or it does not answer.
    #[must_use]
    pub fn start(rows: u32, columns: u32) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", &format!("{columns}x{rows}x24")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is missing: install the package xvfb");
        let mut line = String::new();
        let output = server.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("Xvfb says its number");
        let name = format!(":{}", line.trim());
        let xlib = Xlib::open().expect("libX11");
        let text = CString::new(name.clone()).expect("a name");
        // SAFETY: the name is a C string; the result is checked.
        let display = unsafe { (xlib.XOpenDisplay)(text.as_ptr()) };
        assert!(!display.is_null(), "Xvfb {name} does not answer");
        Self { server, name, xlib, display }
    }

    /// Its name: `:99`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The colours of a rectangle of rows and columns now, row by row, `0x00RRGGBB` each.
    ///
    /// # Panics
    /// It does not lie on the screen.
    #[must_use]
    pub fn colours(&self, rows: Range<u32>, columns: Range<u32>) -> Vec<u32> {
        let (height, width) = (rows.end - rows.start, columns.end - columns.start);
        let mut colours = Vec::with_capacity((height * width) as usize);
        // SAFETY: the display is open, the image is checked, read inside its bounds and freed.
        unsafe {
            let root = (self.xlib.XDefaultRootWindow)(self.display);
            let (left, top) = (columns.start as i32, rows.start as i32);
            let image = (self.xlib.XGetImage)(self.display, root, left, top, width, height, !0, ZPixmap);
            assert!(!image.is_null(), "no picture of the screen");
            for row in 0..height {
                for column in 0..width {
                    let pixel = (self.xlib.XGetPixel)(image, column as i32, row as i32);
                    colours.push(pixel as u32 & 0x00ff_ffff);
                }
            }
            (self.xlib.XDestroyImage)(image);
        }
        colours
    }

    /// The colour at a place now, `0x00RRGGBB`.
    #[must_use]
    pub fn pixel(&self, row: u32, column: u32) -> u32 {
        self.colours(row..row + 1, column..column + 1)[0]
    }

    /// How many pixels of that colour there are in a rectangle of rows and columns.
    #[must_use]
    pub fn count(&self, rows: Range<u32>, columns: Range<u32>, colour: u32) -> usize {
        self.colours(rows, columns).into_iter().filter(|it| *it == colour).count()
    }

    /// Presses a key and lets it go, in the newest window. The name is X11's, with a null at its end.
    ///
    /// # Panics
    /// There is no window, or no such key.
    pub fn press(&self, key: &[u8]) {
        // SAFETY: the display is open, the name ends with a null, the list of windows is freed, the event is whole.
        unsafe {
            let root = (self.xlib.XDefaultRootWindow)(self.display);
            let (mut of, mut parent, mut children, mut count) = (0, 0, std::ptr::null_mut(), 0);
            (self.xlib.XQueryTree)(self.display, root, &mut of, &mut parent, &mut children, &mut count);
            assert!(count > 0, "no window to type into");
            let window = *children.add(count as usize - 1);
            (self.xlib.XFree)(children.cast());
            let symbol = (self.xlib.XStringToKeysym)(key.as_ptr().cast());
            let keycode = u32::from((self.xlib.XKeysymToKeycode)(self.display, symbol));
            assert!(keycode > 0, "no such key");
            for (kind, mask) in [(KeyPress, KeyPressMask), (KeyRelease, KeyReleaseMask)] {
                let mut event: XEvent = std::mem::zeroed();
                event.key = XKeyEvent {
                    type_: kind,
                    serial: 0,
                    send_event: 1,
                    display: self.display,
                    window,
                    root,
                    subwindow: 0,
                    time: 0,
                    x: 1,
                    y: 1,
                    x_root: 1,
                    y_root: 1,
                    state: 0,
                    keycode,
                    same_screen: 1,
                };
                (self.xlib.XSendEvent)(self.display, window, 1, mask, &mut event);
            }
            (self.xlib.XFlush)(self.display);
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // SAFETY: the display is open and not used after this.
        unsafe { (self.xlib.XCloseDisplay)(self.display) };
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
