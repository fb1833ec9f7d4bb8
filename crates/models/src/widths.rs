//! Whether the text encoders of a pack make what its UNet reads. Parts of different models open, each for itself, and then no picture
//! is ever painted.

use crate::pack::{Pack, Part};
use crate::shapes::Shapes;
use eyre::{Result, bail};

/// What the UNet reads of the words of a prompt, as Optimum names it: `[rows, tokens, width]`.
const HIDDEN_STATES: &str = "encoder_hidden_states";
/// What SDXL's UNet reads of a whole prompt, and its second text encoder makes: `[rows, width]`.
const TEXT_EMBEDS: &str = "text_embeds";

/// Compares the widths that the graphs declare. What one does not declare is not compared.
///
/// # Errors
/// They differ: both files, both numbers and the remedy.
pub(crate) fn check(pack: &Pack) -> Result<()> {
    let (unet, encoders) = (Shapes::read(&pack.graph(Part::Unet)), pack.text_encoders());
    // A UNet of SDXL in a pack of one text encoder: that the second one is missing says more.
    if encoders.len() == 1 && unet.input(TEXT_EMBEDS).is_some() {
        return Ok(());
    }
    let texts: Vec<Shapes> = encoders.iter().map(|encoder| Shapes::read(&pack.graph(*encoder))).collect();
    let made: Option<Vec<usize>> = texts.iter().map(|text| last(states(text, texts.len()))).collect();
    compare(pack, encoders, "a token", made, last(unet.input(HIDDEN_STATES)))?;
    let pooled = texts.get(1).map(|text| last(text.output(|name| name == TEXT_EMBEDS)).into_iter().collect());
    compare(pack, &[Part::TextEncoder2], "a prompt", pooled, last(unet.input(TEXT_EMBEDS)))
}

/// What goes on to the UNet: the last states of one text encoder; where there are two, states of a layer, which are all of a width.
fn states(text: &Shapes, encoders: usize) -> Option<&[Option<usize>]> {
    text.output(|name| if encoders == 1 { name == "last_hidden_state" } else { name.starts_with("hidden_states.") })
}

fn last(axes: Option<&[Option<usize>]>) -> Option<usize> {
    axes?.last().copied().flatten()
}

fn compare(pack: &Pack, encoders: &[Part], of: &str, made: Option<Vec<usize>>, read: Option<usize>) -> Result<()> {
    let (Some(made), Some(read)) = (made.filter(|made| made.len() == encoders.len()), read) else { return Ok(()) };
    if made.iter().sum::<usize>() == read {
        return Ok(());
    }
    let files: Vec<String> = encoders.iter().map(|part| pack.graph(*part).display().to_string()).collect();
    let made: Vec<String> = made.iter().map(ToString::to_string).collect();
    let (verb, unet) = (if files.len() == 1 { "makes" } else { "make" }, pack.graph(Part::Unet));
    bail!(
        "{} {verb} {} values {of}, but {} reads {read}: take text encoder and UNet out of the same model",
        files.join(" and "),
        made.join(" + "),
        unet.display()
    )
}
