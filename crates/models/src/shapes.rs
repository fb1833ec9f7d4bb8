//! The inputs and outputs of a graph, read from its file without opening it: a session takes seconds and gigabytes.
//!
//! An ONNX file is a protocol buffer (onnx.proto3). Only the fields on the way to the shapes are read; nodes and weights are
//! passed over.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// Longest name of an input or output, in bytes: what is longer is no name.
const NAME_MAX: u64 = 4096;

/// Name and axes of an input or output; `None` where the size is free.
type Port = (String, Vec<Option<usize>>);

/// The inputs and outputs of a graph.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Shapes {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Shapes {
    /// Reads a graph. Of a file that is damaged nothing is known: whoever opens the graph says what is wrong with it.
    pub(crate) fn read(path: &Path) -> Self {
        let read = || -> io::Result<Self> {
            let file = File::open(path)?;
            let end = file.metadata()?.len();
            Wire { from: BufReader::new(file), at: 0 }.model(end)
        };
        read().unwrap_or_default()
    }

    /// The axes of the input of that name.
    pub(crate) fn input(&self, name: &str) -> Option<&[Option<usize>]> {
        find(&self.inputs, |port| port == name)
    }

    /// The axes of the first output whose name is like that.
    pub(crate) fn output(&self, is_meant: impl Fn(&str) -> bool) -> Option<&[Option<usize>]> {
        find(&self.outputs, is_meant)
    }
}

fn find(ports: &[Port], is_meant: impl Fn(&str) -> bool) -> Option<&[Option<usize>]> {
    ports.iter().find(|(name, _)| is_meant(name)).map(|(_, axes)| axes.as_slice())
}

/// What a field holds.
enum Content {
    Number(u64),
    /// A text or a message: it ends at that place.
    Until(u64),
}

/// A protocol buffer, and the place in it.
struct Wire<R> {
    from: R,
    at: u64,
}

impl<R: Read + Seek> Wire<R> {
    /// `ModelProto`: `graph` is field 7; of a `GraphProto`, `input` is field 11 and `output` field 12.
    fn model(&mut self, end: u64) -> io::Result<Shapes> {
        let mut shapes = Shapes::default();
        self.messages(end, 7, &mut |wire, end| {
            wire.fields(end, &mut |wire, field, content| {
                match (field, content) {
                    (11, Content::Until(end)) => shapes.inputs.push(wire.port(end)?),
                    (12, Content::Until(end)) => shapes.outputs.push(wire.port(end)?),
                    _ => {}
                }
                Ok(())
            })
        })?;
        Ok(shapes)
    }

    /// `ValueInfoProto`: `name` is field 1, `type` field 2; on the way to the axes come `tensor_type` (1), `shape` (2), `dim` (1)
    /// and `dim_value` (1). A `dim` without that is free.
    fn port(&mut self, end: u64) -> io::Result<Port> {
        let (mut name, mut axes) = (String::new(), Vec::new());
        self.fields(end, &mut |wire, field, content| match (field, content) {
            (1, Content::Until(end)) => wire.text(end).map(|text| name = text),
            (2, Content::Until(end)) => wire.messages(end, 1, &mut |wire, end| {
                wire.messages(end, 2, &mut |wire, end| {
                    wire.messages(end, 1, &mut |wire, end| wire.axis(end).map(|axis| axes.push(axis)))
                })
            }),
            _ => Ok(()),
        })?;
        Ok((name, axes))
    }

    fn axis(&mut self, end: u64) -> io::Result<Option<usize>> {
        let mut axis = None;
        self.fields(end, &mut |_, field, content| {
            if let (1, Content::Number(size)) = (field, content) {
                axis = usize::try_from(size).ok();
            }
            Ok(())
        })?;
        Ok(axis)
    }

    /// The messages in the field of that number.
    fn messages(
        &mut self,
        end: u64,
        wanted: u64,
        take: &mut dyn FnMut(&mut Self, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        self.fields(end, &mut |wire, field, content| match content {
            Content::Until(end) if field == wanted => take(wire, end),
            Content::Until(_) | Content::Number(_) => Ok(()),
        })
    }

    /// The fields up to that place; what `take` leaves of one is passed over.
    fn fields(&mut self, end: u64, take: &mut dyn FnMut(&mut Self, u64, Content) -> io::Result<()>) -> io::Result<()> {
        while self.at < end {
            let tag = self.number()?;
            // The low bits say how long the field is (protobuf, "wire types").
            match tag & 7 {
                0 => {
                    let number = self.number()?;
                    take(self, tag >> 3, Content::Number(number))?;
                }
                1 => self.pass_to(self.at + 8)?,
                2 => {
                    let length = self.number()?;
                    let until = self.at.checked_add(length).filter(|until| *until <= end);
                    let until = until.ok_or(io::ErrorKind::InvalidData)?;
                    take(self, tag >> 3, Content::Until(until))?;
                    self.pass_to(until)?;
                }
                5 => self.pass_to(self.at + 4)?,
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(())
    }

    /// Seven bits a byte, the low ones first; the high bit says that another byte follows.
    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let mut byte = [0];
            self.from.read_exact(&mut byte)?;
            self.at += 1;
            number |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    fn text(&mut self, end: u64) -> io::Result<String> {
        let length = end - self.at;
        if length > NAME_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut text = vec![0; length as usize];
        self.from.read_exact(&mut text)?;
        self.at = end;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn pass_to(&mut self, place: u64) -> io::Result<()> {
        let offset = place.checked_sub(self.at).and_then(|offset| i64::try_from(offset).ok());
        self.from.seek_relative(offset.ok_or(io::ErrorKind::InvalidData)?)?;
        self.at = place;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn starter(part: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/starter").join(part).join("model.onnx")
    }

    #[test]
    fn a_graph_says_its_inputs_and_outputs_without_being_opened() {
        let unet = Shapes::read(&starter("unet"));
        assert_eq!(unet.input("encoder_hidden_states"), Some(&[None, Some(32), Some(96)][..]));
        assert_eq!(unet.input("sample"), Some(&[None, Some(32), None, None][..]));
        assert_eq!(unet.output(|name| name == "out_sample"), Some(&[None, Some(32), None, None][..]));
        assert_eq!(unet.input("text_embeds"), None);
        let text = Shapes::read(&starter("text_encoder"));
        assert_eq!(text.output(|name| name == "last_hidden_state").and_then(<[_]>::last), Some(&Some(96)));
    }

    #[test]
    fn of_a_file_that_is_cut_off_and_of_one_that_is_no_graph_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = (folder.path().join("model.onnx"), fs::read(starter("text_encoder")).unwrap());
        let damaged: [&[u8]; 4] = [&whole[..whole.len() / 2], b"no graph at all", b"", &[0xff; 100]];
        for bytes in damaged {
            fs::write(&path, bytes).unwrap();
            assert_eq!(Shapes::read(&path), Shapes::default());
        }
        assert_eq!(Shapes::read(&folder.path().join("nowhere")), Shapes::default());
    }
}
