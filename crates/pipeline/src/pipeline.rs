//! The four stages of a pack, one after the other.

use crate::codec::{self, Format};
use crate::fit::{Fit, Place};
use crate::request::Request;
use decoder::compose::{Composer, Layers};
use decoder::decode::Decoder;
use diffusion::paint::{self, Painter};
use embed::embed::Embedder;
use encoder::encode::Encoder;
use eyre::{Result, WrapErr, bail, eyre};
use mirror_contract::{Header, Latent, Stamp};
use mirror_imaging::Image;
use mirror_inference::{Options, Provider, Runtime};
use mirror_models::{Installed, Pack, Processor};
use std::time::{Duration, Instant};

/// A pack whose four models are open, in this process.
pub struct Pipeline {
    pack: Pack,
    encoder: Encoder,
    embedder: Embedder,
    painter: Painter,
    composer: Composer,
}

/// A painted picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Painted {
    /// The picture.
    pub picture: Image,
    /// What it was painted from, of the same shape; `None`: from the prompt alone.
    pub source: Option<Image>,
    /// What the stages took.
    pub times: Times,
}

/// What the stages took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Fitting the picture and bringing it into the latent space.
    pub encode: Duration,
    /// Turning the prompts into what the UNet reads; next to nothing when they are the last ones.
    pub embed: Duration,
    /// All steps of the UNet.
    pub paint: Duration,
    /// Bringing the latent back to pixels.
    pub decode: Duration,
}

impl Times {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.encode + self.embed + self.paint + self.decode
    }
}

impl Pipeline {
    /// Opens the pack of a processor.
    ///
    /// # Errors
    /// A pack that is not among the installed ones, or a part of it that cannot be opened.
    pub fn open(runtime: &Runtime, installed: &Installed, processor: &Processor, options: &Options) -> Result<Self> {
        let pack = installed.pack(&processor.pack);
        let pack = pack.ok_or_else(|| eyre!("the pack {} of {} is not installed", processor.pack, processor.name))?;
        Self::of_pack(runtime, pack, options)
    }

    /// Opens a pack.
    ///
    /// # Errors
    /// A part of it that cannot be opened, or that does not fit the others.
    pub fn of_pack(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self> {
        Ok(Self {
            encoder: Encoder::open(runtime, pack, options)?,
            embedder: Embedder::open(runtime, pack, options)?,
            painter: Painter::open(runtime, pack, options)?,
            composer: Composer::new(Decoder::open(runtime, pack, options)?),
            pack: pack.clone(),
        })
    }

    /// The pack.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// What runs the UNet.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.painter.provider()
    }

    /// Paints a picture. Its shape is that which the request's [`Fit`] says.
    ///
    /// # Errors
    /// A request out of range; a picture without pixels; a shape that the pack cannot take; a model that does not run.
    pub fn apply(&mut self, picture: &Image, request: &Request) -> Result<Painted> {
        request.check()?;
        let start = Instant::now();
        let size = usize::try_from(request.settings.size)?;
        let place = request.fit.place(picture.shape(), size, self.pack.latents.downscale);
        let place = Place { mirror: request.settings.mirror, ..place };
        let source = place.lay(picture)?;
        self.encoder.take_whole(&source.pixels, source.shape())?;
        let (values, shape) = self.encoder.encode().wrap_err_with(|| cannot_take(place.canvas))?;
        let encode = start.elapsed();
        let mut painted = self.paint(values, shape, Some(&source), request)?;
        painted.times.encode = encode;
        painted.picture = place.cut(painted.picture)?;
        painted.source = Some(place.cut(source)?);
        Ok(painted)
    }

    /// Paints the prompt alone, from noise: a square of the request's size. The pack must be trained for it.
    ///
    /// # Errors
    /// A request out of range; a model that does not run.
    pub fn imagine(&mut self, request: &Request) -> Result<Painted> {
        let mut request = request.clone();
        request.settings.text_to_image = true;
        request.check()?;
        let latents = self.pack.latents;
        let side = usize::try_from(request.settings.size)? / latents.downscale;
        let shape = [1, latents.channels, side, side];
        self.paint(vec![0.0; shape.iter().product()], shape, None, &request)
    }

    /// As [`apply`](Self::apply), from the bytes of a picture's file to those of another.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); bytes that are no picture.
    pub fn apply_bytes(&mut self, bytes: &[u8], request: &Request, format: Format) -> Result<Vec<u8>> {
        codec::encode(&self.apply(&codec::decode(bytes)?, request)?.picture, format)
    }

    /// As [`apply_bytes`](Self::apply_bytes), from base64 to base64.
    ///
    /// # Errors
    /// As [`apply_bytes`](Self::apply_bytes); a text that is not base64.
    pub fn apply_base64(&mut self, text: &str, request: &Request, format: Format) -> Result<String> {
        Ok(codec::to_base64(&self.apply_bytes(&codec::from_base64(text)?, request, format)?))
    }

    /// From a latent, `[1, channels, height, width]` f32 times the scaling factor, to a picture of the canvas's shape.
    fn paint(
        &mut self,
        values: Vec<f32>,
        shape: [usize; 4],
        source: Option<&Image>,
        request: &Request,
    ) -> Result<Painted> {
        let settings = &request.settings;
        let start = Instant::now();
        let embedding = self.embedder.embed(&settings.stream, 0, &settings.prompt, &settings.negative_prompt)?;
        let embedded = Instant::now();
        let canvas = self.composer.decoder().picture_shape(shape);
        let stamp = Stamp { stream: settings.stream.clone(), frame_id: 0, captured_ns: 0 };
        let header = Header::of(stamp);
        let latent = Latent { header, pack: self.pack.name.clone(), shape, values: values.into() };
        let asked = paint::Request::of(settings, 0);
        let latent = self.painter.paint(latent, asked, &embedding).wrap_err_with(|| cannot_take(canvas))?;
        if latent.values.iter().any(|value| !value.is_finite()) {
            bail!("the UNet of the pack {} put out numbers that are none (NaN or infinite)", self.pack.name);
        }
        let painted = Instant::now();
        let source = source.map(|source| source.pixels.as_slice());
        let layers = Layers { source, opacity: settings.opacity as f32, passthrough: settings.passthrough };
        self.composer.decode(&latent.values, shape, &layers).wrap_err_with(|| cannot_take(canvas))?;
        let mut picture = Image::plain(canvas, [0; 3]);
        self.composer.write(&layers, &mut picture.pixels)?;
        let times = Times {
            encode: Duration::ZERO,
            embed: embedded - start,
            paint: painted - embedded,
            decode: painted.elapsed(),
        };
        Ok(Painted { picture, source: None, times })
    }
}

/// What goes before a model's own error: many exports take only the shapes that they were traced with.
fn cannot_take([height, width]: [usize; 2]) -> String {
    let hint = if height == width {
        "if the pack takes only one size, choose that".to_owned()
    } else {
        format!("if the pack takes only squares, choose the fit {} or {}", Fit::Pad, Fit::Crop)
    };
    format!("{width} × {height} pixels cannot be painted ({hint})")
}
