//! Whether an autoencoder's graphs make a latent as small as its configuration says. Their axes are free, so that only a run shows it:
//! one on a tiny picture, when the graph is opened, instead of one that fails for every picture.

use eyre::{Result, bail};
use mirror_inference::{Model, Provider};
use mirror_models::{Pack, Part};

/// Sides of the picture and of the latent that are tried, in pixels and in positions.
const TRIED: [usize; 2] = [64, 8];
/// Pixels along a side of a latent's position, of autoencoders that there are.
const KNOWN: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// An input or an output of a graph: its name, and how many channels it has.
pub type End<'a> = (&'a str, usize);

/// Runs the encoder or the decoder of a pack on a tiny picture.
///
/// # Errors
/// What comes out has another size than the pack's configuration says: both files, both numbers and the remedy. The graph does not run.
pub fn check(model: &mut Model, pack: &Pack, part: Part, input: End, output: End) -> Result<()> {
    // TensorRT builds an engine for every size, for minutes.
    if model.provider() == Provider::TensorRt {
        return Ok(());
    }
    let said = pack.latents.downscale;
    let Err(fault) = attempt(model, part, [input, output], said) else { return Ok(()) };
    let others = KNOWN.into_iter().filter(|downscale| *downscale != said);
    let found = others.into_iter().find(|downscale| attempt(model, part, [input, output], *downscale).is_ok());
    let Some(found) = found else { return Err(fault) };
    bail!(
        "{} has {found} pixels to a latent's position, but {} says {said} (a half for each of its blocks but one): take both out of the \
         same model",
        pack.graph(part).display(),
        pack.autoencoder().display()
    )
}

fn attempt(model: &mut Model, part: Part, [input, output]: [End; 2], downscale: usize) -> Result<()> {
    let is_encoder = part == Part::VaeEncoder;
    // Sides that the graph fixes are taken as they are.
    let usual = TRIED[usize::from(!is_encoder)];
    let axes = &model.input(input.0)?.axes;
    let [height, width] = [2, 3].map(|axis| axes.get(axis).copied().flatten().unwrap_or(usual));
    let [rows, columns] = [height, width].map(|side| if is_encoder { side / downscale } else { side * downscale });
    model.shape_input(input.0, &[1, input.1, height, width])?;
    model.shape_output(output.0, &[1, output.1, rows, columns])?;
    model.write(input.0, |values| values.fill(0.0))?;
    model.run()
}
