//! Real-Time LCM: one socket a visitor (`/api/ws/{uuid}`), pictures go out as MJPEG (`/api/stream/{uuid}`).
//!
//! The server asks for each picture (`send_frame`), the client answers with three messages: `next_frame`, the parameters,
//! and the picture as a file. So the server sets the pace, and no picture waits anywhere.

mod form;
mod said;
mod session;

pub use form::{Form, Queue, Shown};
pub use said::Status;
pub use session::{Heard, Mode, Session};
