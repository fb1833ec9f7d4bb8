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

/// The models of a pack that a picture goes through.
pub struct Fused {
    encoder: Encoder,
    /// `None` while it is lent.
    painter: Option<Painter>,
    composer: Composer,
    provider: Provider,
}

/// A picture that comes in, and how it is to be painted.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The picture, of any size.
    pub frame: &'a Frame,
    /// How it is to be painted.
    pub settings: &'a Settings,
    /// Memory that is used again: the one of a picture that was shown.
    pub memory: Vec<u8>,
}

/// A picture under way: its latent, and what else it takes to show it.
#[derive(Debug, Clone, PartialEq)]
struct Sheet {
    latent: Latent,
    /// The picture as the model saw it, `[size, size, 3]` u8, where something of it is to be seen.
    source: Vec<u8>,
    has_source: bool,
    opacity: f32,
    passthrough: bool,
}

/// A picture that is encoded, and not painted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    sheet: Sheet,
    request: Request,
}

/// A picture that is painted, and not decoded yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Painted(Sheet);

impl Encoded {
    /// The stream that it is of.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.sheet.latent.header.stamp.stream
    }

    /// The pack that encoded it.
    #[must_use]
    pub fn pack(&self) -> &str {
        &self.sheet.latent.pack
    }
}

impl Painted {
    /// Which picture it is, and how it was painted.
    pub fn header_mut(&mut self) -> &mut Header {
        &mut self.0.latent.header
    }

    /// Which picture it is, and how it was painted.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.0.latent.header
    }

    /// The pack that painted it.
    #[must_use]
    pub fn pack(&self) -> &str {
        &self.0.latent.pack
    }

    /// Its memory, for another one.
    #[must_use]
    pub fn memory(self) -> Vec<u8> {
        self.0.source
    }

    fn layers(&self) -> Layers<'_> {
        let Sheet { source, has_source, opacity, passthrough, .. } = &self.0;
        Layers { source: has_source.then_some(source), opacity: *opacity, passthrough: *passthrough }
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
        let latent = &painted.0.latent;
        self.0.decode(&latent.values, latent.shape, &painted.layers())?;
        Ok(self.0.decoder().picture_shape(latent.shape))
    }

    /// Writes the picture: `[height, width, 3]` u8.
    ///
    /// # Errors
    /// `into` has another size than what was decoded.
    pub fn write(&mut self, painted: &Painted, into: &mut [u8]) -> Result<()> {
        self.0.write(&painted.layers(), into)
    }
}

/// Paints a picture; the latent is decoded by [`Fused::showing`].
///
/// # Errors
/// Words that the pack cannot take; the graph does not run.
pub fn paint(painter: &mut Painter, Encoded { sheet, request }: Encoded, words: Words) -> Result<Painted> {
    Ok(Painted(Sheet { latent: painter.paint(sheet.latent, request, words)?, ..sheet }))
}

impl Fused {
    /// Encodes a picture.
    ///
    /// # Errors
    /// A picture or a size that the pack cannot take; the graph does not run.
    pub fn encode(&mut self, Wish { frame, settings, memory: mut source }: Wish) -> Result<Encoded> {
        // The table allows 128 to 1024.
        let (size, shape) = (settings.size as usize, [frame.height, frame.width]);
        let has_source = settings.passthrough || settings.opacity < 1.0;
        if has_source {
            source.resize(size * size * Frame::CHANNELS, 0);
            self.encoder.take(&frame.pixels, shape, size, settings.mirror, &mut source)?;
        } else {
            self.encoder.take_unseen(&frame.pixels, shape, size, settings.mirror)?;
        }
        let (values, shape) = self.encoder.encode()?;
        let latent =
            Latent { header: frame.header.clone(), pack: self.encoder.pack().to_owned(), shape, values: values.into() };
        let (opacity, passthrough) = (settings.opacity as f32, settings.passthrough);
        let sheet = Sheet { latent, source, has_source, opacity, passthrough };
        Ok(Encoded { sheet, request: Request::of(settings, frame.header.stamp.frame_id) })
    }

    /// Its painter. Whoever takes it along, to paint in another thread, brings it back: `None` until then.
    pub fn painter(&mut self) -> &mut Option<Painter> {
        &mut self.painter
    }

    /// The pack.
    #[must_use]
    pub fn pack(&self) -> &str {
        self.encoder.pack()
    }

    /// The last stage.
    pub fn showing(&mut self) -> Showing<'_> {
        Showing(&mut self.composer)
    }
}

impl Opens for Fused {
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        let (encoder, painter) = (Encoder::open(runtime, pack, options)?, Painter::open(runtime, pack, options)?);
        let (composer, provider) = (<Composer as Opens>::open(runtime, pack, options)?, painter.provider());
        Ok(Self { encoder, painter: Some(painter), composer, provider })
    }

    fn provider(&self) -> Provider {
        self.provider
    }
}
