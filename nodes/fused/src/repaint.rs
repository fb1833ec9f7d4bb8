//! A camera's picture becomes a painted one: the cores of `encoder`, `diffusion` and `decoder`, one after the other.

use decoder::compose::{Composer, Layers};
use diffusion::condition::Words;
use diffusion::paint::{Painter, Request};
use encoder::encode::Encoder;
use eyre::Result;
use mirror_contract::{Frame, Header, Latent, Settings};
use mirror_inference::{Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_stage::Opens;
use std::thread;

/// The models of a pack that a picture goes through.
pub struct Fused {
    easel: Easel,
    composer: Composer,
}

/// What makes a painting out of a picture; a latent still.
struct Easel {
    encoder: Encoder,
    painter: Painter,
}

/// A picture that is painted, and not decoded yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Painted {
    latent: Latent,
    /// The picture as the model saw it, `[size, size, 3]` u8.
    source: Vec<u8>,
    opacity: f32,
    passthrough: bool,
}

/// A picture that is to be painted, and how.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The picture, of any size.
    pub frame: &'a Frame,
    /// How it is to be painted.
    pub settings: &'a Settings,
    /// What it is to be painted as.
    pub words: Words<'a>,
    /// Memory that is used again: the one of a picture that was shown.
    pub memory: Vec<u8>,
}

impl Easel {
    fn paint(&mut self, Wish { frame, settings, words, memory }: Wish) -> Result<Painted> {
        // The table allows 128 to 1024.
        let size = settings.size as usize;
        let mut source = memory;
        source.resize(size * size * Frame::CHANNELS, 0);
        let shape = [frame.height, frame.width];
        self.encoder.take(&frame.pixels, shape, size, settings.mirror, &mut source)?;
        let (values, shape) = self.encoder.encode()?;
        let (header, pack) = (frame.header.clone(), self.encoder.pack().to_owned());
        let latent = Latent { header, pack, shape, values: values.into() };
        let request = Request::of(settings, frame.header.stamp.frame_id);
        let latent = self.painter.paint(latent, request, words)?;
        Ok(Painted { latent, source, opacity: settings.opacity as f32, passthrough: settings.passthrough })
    }
}

impl Painted {
    /// Which picture it is, and how it was painted.
    pub fn header_mut(&mut self) -> &mut Header {
        &mut self.latent.header
    }

    /// Which picture it is, and how it was painted.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.latent.header
    }

    /// The pack that painted it.
    #[must_use]
    pub fn pack(&self) -> &str {
        &self.latent.pack
    }

    /// Its memory, for the next one.
    #[must_use]
    pub fn memory(self) -> Vec<u8> {
        self.source
    }

    fn layers(&self) -> Layers<'_> {
        Layers { source: Some(&self.source), opacity: self.opacity, passthrough: self.passthrough }
    }
}

/// The last stage: shows what is painted.
pub struct Showing<'a>(&'a mut Composer);

impl Showing<'_> {
    /// Decodes what is to be seen of it. Height and width of the picture, to be [`written`](Self::write) then.
    ///
    /// # Errors
    /// The graph does not run.
    pub fn decode(&mut self, painted: &Painted) -> Result<[usize; 2]> {
        let shape = painted.latent.shape;
        self.0.decode(&painted.latent.values, shape, &painted.layers())?;
        Ok(self.0.decoder().picture_shape(shape))
    }

    /// Writes the picture: `[height, width, 3]` u8.
    ///
    /// # Errors
    /// `into` has another size than what was decoded.
    pub fn write(&mut self, painted: &Painted, into: &mut [u8]) -> Result<()> {
        self.0.write(&painted.layers(), into)
    }
}

impl Fused {
    /// Paints a picture; the latent is decoded by [`showing`](Self::showing).
    ///
    /// # Errors
    /// A picture, a size or words that the pack cannot take; a graph does not run.
    pub fn paint(&mut self, wish: Wish) -> Result<Painted> {
        self.easel.paint(wish)
    }

    /// The pack.
    #[must_use]
    pub fn pack(&self) -> &str {
        self.easel.encoder.pack()
    }

    /// The last stage.
    pub fn showing(&mut self) -> Showing<'_> {
        Showing(&mut self.composer)
    }

    /// Paints a picture in a thread, and meanwhile does something with the last stage, in this one.
    ///
    /// # Errors
    /// As [`paint`](Self::paint).
    pub fn paint_meanwhile<T>(&mut self, wish: Wish, show: impl FnOnce(Showing) -> T) -> (Result<Painted>, T) {
        let Self { easel, composer } = self;
        thread::scope(|scope| {
            let painting = scope.spawn(|| easel.paint(wish));
            let shown = show(Showing(composer));
            // A panic there is one here.
            (painting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), shown)
        })
    }
}

impl Opens for Fused {
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let (encoder, painter) = (Encoder::open(runtime, pack, options)?, Painter::open(runtime, pack, options)?);
        Ok(Self { easel: Easel { encoder, painter }, composer: <Composer as Opens>::open(runtime, pack, options)? })
    }

    fn provider(&self) -> Provider {
        self.easel.painter.provider()
    }
}
