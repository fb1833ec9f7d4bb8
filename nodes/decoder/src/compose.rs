//! What is seen: the painting, the camera's picture, or one over the other.

use crate::decode::Decoder;
use eyre::Result;
use mirror_contract::Frame;
use mirror_imaging::postprocess;
use mirror_inference::{Options, Provider, Runtime};
use mirror_models::Pack;
use mirror_stage::Opens;

/// A picture on its way: decoded as far as it must be, written once its place in shared memory is there.
pub struct Composer {
    decoder: Decoder,
    /// The painting, where it is laid over something; otherwise it is written in place.
    painted: Vec<u8>,
}

/// How the two pictures go together.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The picture that was painted from, `[height, width, 3]` u8; `None` if it is gone.
    pub source: Option<&'a [u8]>,
    /// 0 shows the source, 1 the painting.
    pub opacity: f32,
    /// Shows the source whatever the opacity.
    pub passthrough: bool,
}

impl Layers<'_> {
    fn needs_painting(&self) -> bool {
        // At opacity 0 nothing of it is left to be seen.
        self.source.is_none() || (!self.passthrough && self.opacity > 0.0)
    }

    fn is_bare(&self) -> bool {
        self.source.is_none() || (self.opacity >= 1.0 && !self.passthrough)
    }
}

impl Composer {
    /// Composes with that decoder.
    #[must_use]
    pub fn new(decoder: Decoder) -> Self {
        Self { decoder, painted: Vec::new() }
    }

    /// The decoder.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Decodes what is to be seen of a latent (`[1, channels, height, width]` f32, times the scaling factor).
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn decode(&mut self, latent: &[f32], shape: [usize; 4], layers: &Layers) -> Result<()> {
        let [height, width] = self.decoder.picture_shape(shape);
        if layers.needs_painting() {
            self.decoder.decode(latent, shape)?;
        }
        if !layers.is_bare() {
            self.painted.resize(height * width * Frame::CHANNELS, 0);
            if layers.needs_painting() {
                self.decoder.read(&mut self.painted)?;
            }
        }
        Ok(())
    }

    /// Writes the picture: `[height, width, 3]` u8.
    ///
    /// # Errors
    /// `into` has another size than what was decoded.
    pub fn write(&mut self, layers: &Layers, into: &mut [u8]) -> Result<()> {
        if layers.is_bare() {
            return self.decoder.read(into);
        }
        postprocess::apply(&self.painted, layers.source, layers.opacity, layers.passthrough, into)?;
        Ok(())
    }
}

impl Opens for Composer {
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        Ok(Self::new(Decoder::open(runtime, pack, options)?))
    }

    fn provider(&self) -> Provider {
        self.decoder.provider()
    }
}
