//! Whisper models in ggml format, read as far as is needed to know that whisper.cpp can read them: it ends the process
//! where something is wrong, or reads beyond what is there.
//!
//! The format (whisper.cpp 1.8.3, `whisper_model_load`), little-endian: magic; eleven i32 of the [`Header`]; the mel
//! filters, `n_mel`, `n_fft` and as many f32; the vocabulary, a count and for each word a length and its bytes; then
//! tensors to the end of the file: number of axes, length of the name, type, the axes from the fastest on, name, values.

mod shapes;

use eyre::{Result, WrapErr, bail, ensure, eyre};
use shapes::{Shapes, Type};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

/// `ggml`, read as a number.
const MAGIC: u32 = 0x6767_6d6c;
/// Sizes of the vocabularies that whisper.cpp knows: English, multilingual, multilingual of version 3. The numbers of the
/// special tokens follow from them.
const VOCABULARIES: [i32; 3] = [51_864, 51_865, 51_866];
/// Bands of the spectrum: 80, or 128 in version 3.
const MEL_BANDS: [i32; 2] = [80, 128];
/// Frequencies of the spectrum: half of the 400 samples that it is made of, and one.
const FREQUENCIES: i32 = 201;
/// The word that whisper.cpp looks up while it runs, and ends the process over if it is not there.
const SPACE: &[u8] = b" ";
/// Longest word of a vocabulary, in bytes.
const LONGEST_WORD: u32 = 1024;
/// Quantised files add 1000 for each version of the quantisation.
const QUANTISATION_VERSION: i32 = 1000;

/// What a model's file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Words and special tokens.
    pub vocabulary: i32,
    /// Positions that the encoder takes, 50 a second.
    pub positions: i32,
    /// Width of the encoder.
    pub audio_width: i32,
    /// Heads of the encoder.
    pub audio_heads: i32,
    /// Layers of the encoder.
    pub audio_layers: i32,
    /// Tokens that the decoder takes.
    pub tokens: i32,
    /// Width of the decoder.
    pub text_width: i32,
    /// Heads of the decoder.
    pub text_heads: i32,
    /// Layers of the decoder.
    pub text_layers: i32,
    /// Bands of the spectrum.
    pub mel_bands: i32,
    /// Type of the matrices, and version of the quantisation.
    pub file_type: i32,
}

impl Header {
    /// Whether it knows other languages than English.
    #[must_use]
    pub fn is_multilingual(&self) -> bool {
        self.vocabulary > VOCABULARIES[0]
    }

    fn check(&self) -> Result<()> {
        ensure!(
            VOCABULARIES.contains(&self.vocabulary),
            "its vocabulary has {} words, whisper's have 51864 to 51866",
            self.vocabulary
        );
        for (what, value, min, max) in [
            ("positions of sound", self.positions, 16, 1500),
            ("width of the encoder", self.audio_width, 8, 8192),
            ("heads of the encoder", self.audio_heads, 1, 256),
            ("layers of the encoder", self.audio_layers, 1, 256),
            ("tokens of text", self.tokens, 32, 4096),
            ("heads of the decoder", self.text_heads, 1, 256),
            ("layers of the decoder", self.text_layers, 1, 256),
        ] {
            ensure!((min..=max).contains(&value), "it says {value} {what}, which is not from {min} to {max}");
        }
        ensure!(
            self.text_width == self.audio_width,
            "its decoder is {} wide and its encoder {}",
            self.text_width,
            self.audio_width
        );
        for heads in [self.audio_heads, self.text_heads] {
            ensure!(
                self.audio_width % heads == 0,
                "its width of {} does not split into {heads} heads",
                self.audio_width
            );
        }
        ensure!(MEL_BANDS.contains(&self.mel_bands), "its spectrum has {} bands, whisper's 80 or 128", self.mel_bands);
        Ok(())
    }
}

/// Reads a model from end to end, without its weights' values, and says what it is.
///
/// # Errors
/// A file that is not there, is none of whisper's, is cut short or damaged: with the remedy.
pub fn check(path: &Path) -> Result<Header> {
    let name = path.display();
    let bring = "bring a whisper model in ggml format, such as ggml-base.en-q5_1.bin";
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => eyre!("{name}: there is no such file; {bring}, or take the node out of the dataflow"),
        _ => eyre!("{name} cannot be read: {error}"),
    })?;
    let metadata = file.metadata().wrap_err_with(|| format!("{name} cannot be read"))?;
    ensure!(metadata.is_file(), "{name} is not a file; {bring}");
    let mut model = Reader { input: BufReader::with_capacity(1 << 20, file), left: metadata.len() };
    model
        .whole()
        .wrap_err_with(|| format!("{name} is damaged, cut short or no whisper model: download it again, or {bring}"))
}

/// A model that is being read, and how much of it is left.
struct Reader<R> {
    input: R,
    left: u64,
}

impl<R: Read> Reader<R> {
    fn take(&mut self, count: u64) -> Result<()> {
        match self.left.checked_sub(count) {
            Some(left) => self.left = left,
            None => bail!("it ends {} bytes too early", count - self.left),
        }
        Ok(())
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        self.take(4)?;
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.word()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.word()?))
    }

    /// A length and as many bytes.
    fn text(&mut self, what: &str) -> Result<Vec<u8>> {
        let len = self.u32()?;
        self.bytes(len, what)
    }

    fn bytes(&mut self, len: u32, what: &str) -> Result<Vec<u8>> {
        ensure!(len <= LONGEST_WORD, "{what} is {len} bytes long");
        self.take(u64::from(len))?;
        let mut bytes = vec![0; usize::try_from(len)?];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Passes over values; those that are floats must be numbers.
    fn values(&mut self, of: Type, mut bytes: u64, what: &str) -> Result<()> {
        self.take(bytes)?;
        let mut buffer = [0; 1 << 14];
        while bytes > 0 {
            let part = &mut buffer[..usize::try_from(bytes.min(1 << 14))?];
            self.input.read_exact(part)?;
            ensure!(of.are_numbers(part), "{what} holds values that are no numbers");
            bytes -= part.len() as u64;
        }
        Ok(())
    }

    fn whole(&mut self) -> Result<Header> {
        ensure!(self.left > 0, "it is empty (0 bytes)");
        let magic = self.u32()?;
        ensure!(&magic.to_le_bytes() != b"GGUF", "it is a GGUF file: whisper.cpp reads the older ggml format");
        ensure!(magic == MAGIC, "it does not begin as a ggml file does");
        let header = Header {
            vocabulary: self.i32()?,
            positions: self.i32()?,
            audio_width: self.i32()?,
            audio_heads: self.i32()?,
            audio_layers: self.i32()?,
            tokens: self.i32()?,
            text_width: self.i32()?,
            text_heads: self.i32()?,
            text_layers: self.i32()?,
            mel_bands: self.i32()?,
            file_type: self.i32()?,
        };
        header.check()?;
        let matrices = Type::of_file(header.file_type % QUANTISATION_VERSION);
        let matrices = matrices.ok_or_else(|| {
            eyre!(
                "its weights are of the kind {}, whisper.cpp runs f16 (1) and quantised ones (2, 3, 7 to 14)",
                header.file_type
            )
        })?;
        let filters = [self.i32()?, self.i32()?];
        ensure!(filters == [header.mel_bands, FREQUENCIES], "its mel filters are {filters:?}");
        self.values(Type::F32, 4 * u64::try_from(filters[0] * filters[1])?, "the mel filters")?;
        self.vocabulary(&header)?;
        self.tensors(&Shapes::of(&header, matrices))?;
        Ok(header)
    }

    fn vocabulary(&mut self, header: &Header) -> Result<()> {
        let words = self.i32()?;
        ensure!(
            (1..=header.vocabulary).contains(&words),
            "its vocabulary lists {words} words of {}",
            header.vocabulary
        );
        let mut has_space = false;
        for _ in 0..words {
            has_space |= self.text("a word of its vocabulary")? == SPACE;
        }
        ensure!(has_space, "its vocabulary lacks the space");
        Ok(())
    }

    fn tensors(&mut self, shapes: &Shapes) -> Result<()> {
        let mut seen = HashSet::new();
        while self.left > 0 {
            let (axes, len, of) = (self.i32()?, self.u32()?, self.i32()?);
            ensure!((1..=4).contains(&axes), "a tensor has {axes} axes");
            let mut shape = [1; 4];
            for axis in shape.iter_mut().take(usize::try_from(axes)?) {
                *axis = self.i32()?;
            }
            let name = String::from_utf8_lossy(&self.bytes(len, "the name of a tensor")?).into_owned();
            let (expected_type, expected) =
                shapes.get(&name).ok_or_else(|| eyre!("its tensor {name:?} belongs to no whisper model"))?;
            ensure!(shape == expected, "its tensor {name} has the shape {shape:?}, it must have {expected:?}");
            ensure!(
                of == expected_type.number(),
                "its tensor {name} is of the kind {of}, it must be {}",
                expected_type.number()
            );
            let bytes = expected_type.bytes(expected).ok_or_else(|| {
                eyre!("its tensor {name} with rows of {} values cannot be of the kind {of}", expected[0])
            })?;
            self.values(expected_type, bytes, &name)?;
            ensure!(seen.insert(name.clone()), "its tensor {name} is there twice");
        }
        let missing = shapes.count() - seen.len();
        ensure!(missing == 0, "it lacks {missing} of {} tensors", shapes.count());
        Ok(())
    }
}
