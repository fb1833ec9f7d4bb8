//! The limit: the pack's bare sessions in one process, without a dataflow.

use eyre::{Result, eyre};
use mirror_inference::options::SPIN_US;
use mirror_inference::{Choice, Cores, Element, Model, Options, Provider, Runtime};
use mirror_kit::figures::Spread;
use mirror_models::{Pack, Part};
use serde::Serialize;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

/// Pictures that warm up, and pictures that count.
const WARM_UP: usize = 10;
/// How long waiting threads stay awake, in microseconds, and whether each keeps to a core: not at all, as long as in the nodes, always;
/// and wholly as in the nodes.
static WAYS: [(u32, Cores); 4] = [(0, Cores::Any), (SPIN_US, Cores::Any), (1_000_000, Cores::Any), AS_NODES];
/// How the nodes do it.
const AS_NODES: (u32, Cores) = (SPIN_US, Cores::Auto);
/// How many times `measure` ticks for each picture.
pub const ROUNDS: usize = WAYS.len() + 3;

/// The bare models of one size.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    /// Encoder, UNet, decoder, each alone, all cores.
    pub stages: Vec<(String, Spread)>,
    /// The sum of their medians, in milliseconds.
    pub sum_ms: f64,
    /// Pictures a second, one stage after another, all cores in each.
    pub in_turn_fps: f64,
    /// Pictures a second, a thread for each stage, so many cores in each.
    pub pipelined_fps: Vec<(usize, f64)>,
    /// The best of them.
    pub fps: f64,
}

/// The stages, in their order.
const STAGES: [&str; 3] = ["encoder", "diffusion", "decoder"];

/// The bare stages in turn, at a pace.
#[derive(Debug, Clone, Serialize)]
pub struct Calm {
    /// All of a picture, in milliseconds.
    pub picture: Spread,
    /// Each of them.
    pub stages: Vec<(String, Spread)>,
}

/// Opens the three models of the image path, with tensors for pictures of that size.
fn open(
    runtime: &Runtime,
    pack: &Pack,
    size: usize,
    threads: usize,
    (spin_us, on): &(u32, Cores),
) -> Result<Vec<Model>> {
    let options = Options { provider: Choice::Only(Provider::Cpu), threads, spin_us: *spin_us, cores: on.clone() };
    let channels = pack.latents.channels;
    let side = size / pack.latents.downscale;
    let latent = [1, channels, side, side];
    let picture = [1, 3, size, size];
    let mut encoder = Model::open(runtime, &pack.graph(Part::VaeEncoder), &options)?;
    encoder.shape_input("sample", &picture)?;
    encoder.shape_output("latent_sample", &latent)?;
    encoder.write("sample", |values| values.fill(0.1))?;
    let mut unet = Model::open(runtime, &pack.graph(Part::Unet), &options)?;
    unet.shape_input("sample", &latent)?;
    unet.shape_output("out_sample", &latent)?;
    unet.write("sample", |values| values.fill(0.1))?;
    let states = unet.input("encoder_hidden_states")?.clone();
    let width = states.axes.get(2).copied().flatten().ok_or_else(|| eyre!("{states} does not say its width"))?;
    unet.shape_input("encoder_hidden_states", &[1, pack.tokens()?, width])?;
    unet.write("encoder_hidden_states", |values| values.fill(0.1))?;
    let timestep = unet.input("timestep")?.clone();
    unet.shape_input("timestep", &vec![1; timestep.axes.len()])?;
    match timestep.element {
        Some(Element::I64 | Element::I32) => unet.write_integers("timestep", |values| values.fill(999))?,
        _ => unet.write("timestep", |values| values.fill(999.0))?,
    }
    let mut decoder = Model::open(runtime, &pack.graph(Part::VaeDecoder), &options)?;
    decoder.shape_input("latent_sample", &latent)?;
    decoder.shape_output("sample", &picture)?;
    decoder.write("latent_sample", |values| values.fill(0.1))?;
    Ok(vec![encoder, unet, decoder])
}

/// Measures the bare models of a pack at that size over so many pictures; `tick` is called after each.
///
/// # Errors
/// A model that cannot be opened or run.
pub fn measure(
    runtime: &Runtime,
    pack: &Pack,
    size: usize,
    pictures: usize,
    tick: &(dyn Fn() + Sync),
) -> Result<Limit> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // Threads that stay awake between operators, asleep, or as the nodes have them: the best way counts.
    let mut stages = Vec::new();
    let mut in_turn_fps = 0.0;
    for way in &WAYS {
        let models = open(runtime, pack, size, cores, way)?;
        let (times, fps) = beside(|| in_turn(models, pictures, tick))?;
        if fps > in_turn_fps {
            (stages, in_turn_fps) = (times, fps);
        }
    }
    let mut pipelined_fps = Vec::new();
    for threads in [1, cores] {
        let mut best: f64 = 0.0;
        // A thread alone waits for nobody.
        for way in if threads == 1 { &WAYS[..1] } else { &WAYS[..2] } {
            best = best.max(pipelined(open(runtime, pack, size, threads, way)?, pictures)?);
            (0..pictures).for_each(|_| tick());
        }
        pipelined_fps.push((threads, best));
    }
    let sum_ms = stages.iter().map(|(_, spread)| spread.p50).sum();
    let fps = pipelined_fps.iter().map(|(_, fps)| *fps).fold(in_turn_fps, f64::max);
    Ok(Limit { stages, sum_ms, in_turn_fps, pipelined_fps, fps })
}

fn in_turn(mut models: Vec<Model>, pictures: usize, tick: &(dyn Fn() + Sync)) -> Result<(Vec<(String, Spread)>, f64)> {
    let mut times = vec![Vec::with_capacity(pictures); models.len()];
    let mut start = Instant::now();
    for picture in 0..WARM_UP + pictures {
        if picture == WARM_UP {
            times.iter_mut().for_each(Vec::clear);
            start = Instant::now();
        }
        for (model, times) in models.iter_mut().zip(&mut times) {
            let start = Instant::now();
            model.run()?;
            times.push(start.elapsed().as_nanos() as i64);
        }
        tick();
    }
    let fps = pictures as f64 / start.elapsed().as_secs_f64();
    Ok((named(&mut times), fps))
}

/// The times of each stage.
fn named(times: &mut [Vec<i64>]) -> Vec<(String, Spread)> {
    STAGES.iter().zip(times).map(|(name, times)| ((*name).to_owned(), Spread::of(times))).collect()
}

/// The bare stages in turn, each picture begun when it would come at so many a second.
///
/// A processor that rests between pictures does the same work more slowly than one that never does (its caches, its clock, its
/// sleeping threads): what a dataflow adds in calm is seen against this. Threads wait as those of the nodes do.
///
/// # Errors
/// A model that cannot be opened or run.
pub fn calm(runtime: &Runtime, pack: &Pack, size: usize, fps: f64, pictures: usize) -> Result<Calm> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let models = open(runtime, pack, size, cores, &AS_NODES)?;
    beside(move || at_a_pace(models, fps, pictures))
}

/// Does it in a thread of its own: one that runs a model may keep to a core, and what it starts afterwards would too.
fn beside<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| scope.spawn(work).join()).map_err(|_| eyre!("a thread that runs models has panicked"))?
}

fn at_a_pace(mut models: Vec<Model>, fps: f64, pictures: usize) -> Result<Calm> {
    let (mut whole, period) = (Vec::with_capacity(pictures), Duration::from_secs_f64(1.0 / fps));
    let mut times = vec![Vec::with_capacity(pictures); models.len()];
    let mut next = Instant::now();
    for picture in 0..WARM_UP + pictures {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        for (model, times) in models.iter_mut().zip(&mut times) {
            let start = Instant::now();
            model.run()?;
            if picture >= WARM_UP {
                times.push(start.elapsed().as_nanos() as i64);
            }
        }
        if picture >= WARM_UP {
            whole.push(start.elapsed().as_nanos() as i64);
        }
        next = (next + period).max(start);
    }
    Ok(Calm { picture: Spread::of(&mut whole), stages: named(&mut times) })
}

/// Each stage in a thread, handing a token on to the next: no data moves, so no dataflow can be faster in this shape.
fn pipelined(models: Vec<Model>, pictures: usize) -> Result<f64> {
    let (first, mut upstream) = sync_channel::<()>(1);
    let total = WARM_UP + pictures;
    thread::scope(|scope| {
        let mut stages = Vec::new();
        for mut model in models {
            let (downstream, next) = sync_channel(1);
            let input = std::mem::replace(&mut upstream, next);
            stages.push(scope.spawn(move || -> Result<()> {
                for () in input {
                    model.run()?;
                    if downstream.send(()).is_err() {
                        break;
                    }
                }
                Ok(())
            }));
        }
        scope.spawn(move || (0..total).all(|_| first.send(()).is_ok()));
        let mut start = Instant::now();
        for done in 0..total {
            upstream.recv().map_err(|_| eyre!("a stage of the pipeline has ended early"))?;
            if done + 1 == WARM_UP {
                start = Instant::now();
            }
        }
        Ok(pictures as f64 / start.elapsed().as_secs_f64())
    })
}
