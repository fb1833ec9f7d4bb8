//! Writing: one file after the other, each complete in itself, with an eye on the disk.

use crate::message::Taped;
use crate::record::{Pictures, Record, records};
use eyre::{Result, WrapErr, eyre};
use mcap::WriteOptions;
use mcap::records::{MessageHeader, Metadata};
use mirror_kit::disk::Room;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// The disk is looked at again after that many bytes.
const LOOK_BYTES: u64 = 8 << 20;
/// Messages are gathered into chunks of this size; what was written last is in one that may be cut short.
const CHUNK_BYTES: u64 = 1 << 20;
/// The name of the record at a file's end that says what is in it.
pub const ABOUT: &str = "mirror";

/// How large recordings may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A new file is begun when this one holds so many bytes; 0: never.
    pub file_bytes: u64,
    /// The recording ends when the disk has no more free bytes than these.
    pub free_bytes: u64,
}

/// What has been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Messages of the graph.
    pub messages: u64,
    /// Bytes, of all files together.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// A recording that is being written.
pub struct Reel {
    path: PathBuf,
    pictures: Pictures,
    file_bytes: u64,
    room: Room,
    file: Option<Open>,
    written: Written,
    /// Bytes that were written when the disk was last looked at.
    looked: u64,
}

struct Open {
    writer: mcap::Writer<BufWriter<File>>,
    /// By topic: its channel, and how many records that has.
    channels: HashMap<String, (u16, u32)>,
    bytes: u64,
}

impl Reel {
    /// Begins a recording; the folder is made if need be. A file that is there already is not touched.
    ///
    /// # Errors
    /// The file exists or cannot be made; the disk is as good as full.
    pub fn create(path: &Path, pictures: Pictures, limits: Limits) -> Result<Self> {
        Self::within(path, pictures, limits.file_bytes, Room::of(limits.free_bytes))
    }

    /// As [`create`](Self::create), on a disk of which somebody else says how much is free; `file_bytes` as in [`Limits`].
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn within(path: &Path, pictures: Pictures, file_bytes: u64, room: Room) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).wrap_err_with(|| format!("{} cannot be made", folder.display()))?;
        }
        room.check(path)?;
        let (path, written) = (path.to_owned(), Written::default());
        let mut reel = Self { path, pictures, file_bytes, room, file: None, written, looked: 0 };
        reel.open()?;
        Ok(reel)
    }

    /// The file of that number, from 1 on: `x.mcap`, `x-2.mcap`, `x-3.mcap` …
    #[must_use]
    pub fn file(path: &Path, number: u64) -> PathBuf {
        if number == 1 {
            return path.to_owned();
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let end = path.extension().map_or(String::new(), |end| format!(".{}", end.to_string_lossy()));
        path.with_file_name(format!("{stem}-{number}{end}"))
    }

    /// What has been recorded so far.
    #[must_use]
    pub fn written(&self) -> Written {
        self.written
    }

    fn open(&mut self) -> Result<&mut Open> {
        let path = Self::file(&self.path, self.written.files + 1);
        let shown = path.display();
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.wrap_err_with(|| format!("{shown} cannot be written; choose another name"))?;
        let options = WriteOptions::new().compression(None).chunk_size(Some(CHUNK_BYTES)).library("mirror");
        let writer = options.create(BufWriter::new(file)).wrap_err_with(|| format!("{shown} cannot be written"))?;
        self.written.files += 1;
        Ok(self.file.insert(Open { writer, channels: HashMap::new(), bytes: 0 }))
    }

    /// Writes a message.
    ///
    /// # Errors
    /// A message that cannot be recorded ([`Fault::Message`]: the recording goes on), or a disk that takes no more
    /// ([`Fault::Disk`]: it is over; what was written can be read).
    pub fn write(&mut self, taped: &Taped) -> Result<(), Fault> {
        let records = records(taped, self.pictures).map_err(Fault::Message)?;
        self.put(taped, &records).map_err(Fault::Disk)
    }

    fn put(&mut self, taped: &Taped, records: &[Record]) -> Result<()> {
        if self.written.bytes - self.looked >= LOOK_BYTES {
            self.looked = self.written.bytes;
            self.room.check(&self.path)?;
        }
        let full = |open: &Open| self.file_bytes > 0 && open.bytes >= self.file_bytes;
        if self.file.as_ref().is_none_or(full) {
            self.close("continued in the next file", 0)?;
            self.open()?;
        }
        let open = self.file.as_mut().ok_or_else(|| eyre!("the recording is over"))?;
        let bytes = open.put(taped, records).wrap_err("the recording cannot be written")?;
        self.written.bytes += bytes;
        self.written.messages += 1;
        Ok(())
    }

    /// Ends the recording. The file says why it ended and how many messages did not find their way into it.
    ///
    /// # Errors
    /// The disk takes no more; what was written can be read.
    pub fn finish(mut self, reason: &str, dropped: u64) -> Result<Written> {
        self.close(reason, dropped)?;
        Ok(self.written)
    }

    fn close(&mut self, reason: &str, dropped: u64) -> Result<()> {
        let Some(mut open) = self.file.take() else { return Ok(()) };
        let pictures = if self.pictures == Pictures::Raw { "raw" } else { "jpeg" };
        let pairs = [("ended", reason.to_owned()), ("pictures", pictures.to_owned()), ("dropped", dropped.to_string())];
        let metadata = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let about = Metadata { name: ABOUT.to_owned(), metadata };
        let ended = open.writer.write_metadata(&about).and_then(|()| open.writer.finish().map(drop));
        // Taken out before it is dropped: dropping would try to finish again.
        let file = open.writer.into_inner().into_inner();
        ended.wrap_err("the recording's end cannot be written")?;
        file.wrap_err("the recording's end cannot be written")?.sync_all().wrap_err("the disk takes no more")
    }
}

impl Open {
    fn put(&mut self, taped: &Taped, records: &[Record]) -> Result<u64> {
        let mut bytes = 0;
        for record in records {
            let topic = format!("{}{}", taped.topic, record.suffix);
            let (channel_id, sequence) = match self.channels.get_mut(&topic) {
                Some((channel, count)) => {
                    *count = count.wrapping_add(1);
                    (*channel, *count)
                }
                None => {
                    let schema = (record.schema)();
                    let id = self.writer.add_schema(schema.name, schema.encoding, &schema.data)?;
                    let channel = self.writer.add_channel(id, &topic, record.encoding, &BTreeMap::new())?;
                    self.channels.insert(topic, (channel, 0));
                    (channel, 0)
                }
            };
            let time = |ns: i64| u64::try_from(ns).unwrap_or(0);
            let (log_time, publish_time) = (time(taped.log_ns), time(taped.captured_ns()));
            let header = MessageHeader { channel_id, sequence, log_time, publish_time };
            self.writer.write_to_known_channel(&header, &record.data)?;
            bytes += record.data.len() as u64;
        }
        self.bytes += bytes;
        Ok(bytes)
    }
}

/// Why a message was not recorded.
#[derive(Debug)]
pub enum Fault {
    /// This message cannot be: the recording goes on.
    Message(eyre::Report),
    /// Nothing can be any more.
    Disk(eyre::Report),
}
