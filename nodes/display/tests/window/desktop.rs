//! A virtual screen of its own, to look at and to type on.

use std::cell::RefCell;
use std::ffi::CString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use x11_dl::xlib::{Display, KeyPress, KeyPressMask, KeyRelease, KeyReleaseMask, XEvent, XKeyEvent, Xlib, ZPixmap};

/// An Xvfb that runs until it is dropped.
pub struct Desktop {
    server: Child,
    name: String,
    xlib: Xlib,
    display: *mut Display,
    rows: u32,
    columns: u32,
    /// What the screen showed when it was last looked at.
    pixels: RefCell<Vec<u32>>,
}

impl Desktop {
    /// A black screen of that many rows and columns.
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
        Self { server, name, xlib, display, rows, columns, pixels: RefCell::default() }
    }

    /// Its name: `:99`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a picture of the screen.
    fn look(&self) {
        let mut pixels = Vec::with_capacity((self.rows * self.columns) as usize);
        // SAFETY: the display is open, the rectangle is the whole screen, the image is read inside its bounds and freed.
        unsafe {
            let root = (self.xlib.XDefaultRootWindow)(self.display);
            let image = (self.xlib.XGetImage)(self.display, root, 0, 0, self.columns, self.rows, !0, ZPixmap);
            assert!(!image.is_null(), "no picture of the screen");
            for row in 0..self.rows {
                for column in 0..self.columns {
                    let pixel = (self.xlib.XGetPixel)(image, column as i32, row as i32);
                    pixels.push(pixel as u32 & 0x00ff_ffff);
                }
            }
            (self.xlib.XDestroyImage)(image);
        }
        *self.pixels.borrow_mut() = pixels;
    }

    /// The colour at a place now, `0x00RRGGBB`.
    pub fn pixel(&self, row: u32, column: u32) -> u32 {
        self.look();
        self.pixels.borrow()[(row * self.columns + column) as usize]
    }

    /// How many pixels of that colour there are in a rectangle of rows and columns.
    pub fn count(&self, rows: std::ops::Range<u32>, columns: std::ops::Range<u32>, colour: u32) -> usize {
        self.look();
        let pixels = self.pixels.borrow();
        let at = |row: u32| columns.clone().map(move |column| (row * self.columns + column) as usize);
        rows.flat_map(at).filter(|index| pixels[*index] == colour).count()
    }

    /// Presses a key and lets it go, in the newest window. The name is X11's, with a null at its end.
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
