//! Reading: a recording and the files that go on with it, message by message, in the order in which they came.

use crate::message::Taped;
use crate::record::{STAMP, of_stamped, of_text};
use crate::reel::Reel;
use eyre::{Result, WrapErr, eyre};
use mcap::McapError;
use mcap::io::MessageReader;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A recording that is being read.
pub struct Reader {
    path: PathBuf,
    number: u64,
    file: MessageReader<BufReader<File>>,
    /// Stamps whose payloads are next, by topic: sequence number and record.
    stamps: HashMap<String, (u32, Vec<u8>)>,
    remark: Option<String>,
    over: bool,
}

impl Reader {
    /// Opens a recording. Files of the same name with `-2`, `-3` … are read after it.
    ///
    /// # Errors
    /// There is no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = open(path)?;
        Ok(Self { path: path.to_owned(), number: 1, file, stamps: HashMap::new(), remark: None, over: false })
    }

    /// What is to be said of what was read: a file that was cut short. Each is given once.
    pub fn remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    /// The next file, if there is one.
    fn turn(&mut self) -> Result<bool> {
        let next = Reel::file(&self.path, self.number + 1);
        if !next.is_file() {
            return Ok(false);
        }
        self.number += 1;
        (self.file, self.stamps) = (open(&next)?, HashMap::new());
        Ok(true)
    }

    fn read(&mut self) -> Result<Option<Taped>> {
        loop {
            let message = match self.file.next() {
                Some(Ok(message)) => message,
                // A recording that was killed has no end: what is there counts.
                Some(Err(McapError::UnexpectedEof | McapError::UnexpectedEoc)) => {
                    let path = Reel::file(&self.path, self.number);
                    self.remark = Some(format!("{} ends in the middle: played as far as it goes", path.display()));
                    if self.turn()? {
                        continue;
                    }
                    return Ok(None);
                }
                Some(Err(error)) => {
                    let path = Reel::file(&self.path, self.number);
                    return Err(error).wrap_err_with(|| format!("{} is no recording", path.display()));
                }
                None if self.turn()? => continue,
                None => return Ok(None),
            };
            let (channel, log_ns) = (&message.channel, i64::try_from(message.log_time).unwrap_or(i64::MAX));
            if let Some(topic) = channel.topic.strip_suffix(STAMP) {
                self.stamps.insert(topic.to_owned(), (message.sequence, message.data.into_owned()));
                continue;
            }
            let schema = channel.schema.as_ref().map_or("", |schema| schema.name.as_str());
            let taped = match self.stamps.remove(&channel.topic).filter(|(number, _)| *number == message.sequence) {
                Some((_, stamp)) => of_stamped(&channel.topic, log_ns, &stamp, schema, &message.data),
                None if channel.message_encoding == "json" => of_text(&channel.topic, log_ns, &message.data),
                None => Err(eyre!("it has no stamp: the recording is not one of Mirror's")),
            };
            let number = message.sequence;
            return taped.wrap_err_with(|| format!("message {number} of {}", channel.topic)).map(Some);
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Taped>;

    /// The next message. After the first error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read();
        self.over = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

fn open(path: &Path) -> Result<MessageReader<BufReader<File>>> {
    let file = File::open(path).wrap_err_with(|| format!("{} cannot be opened", path.display()))?;
    Ok(MessageReader::new(BufReader::new(file)))
}
