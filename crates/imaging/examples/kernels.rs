//! Times each kernel on one thread: `cargo run --release -p mirror-imaging --example kernels`.

use mirror_imaging::{ImagingError, Square, blend, denormalise, normalise};
use std::hint::black_box;
use std::time::Instant;

/// Runs of each kernel.
const RUNS: usize = 200;

fn time(name: &str, mut run: impl FnMut() -> Result<(), ImagingError>) -> Result<(), ImagingError> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{name:32} p50 {:.3} ms  p99 {:.3} ms", times[RUNS / 2], times[RUNS * 99 / 100]);
    Ok(())
}

fn main() -> Result<(), ImagingError> {
    let picture = |height: usize, width: usize| -> Vec<u8> {
        (0..height * width * 3).map(|at| ((at * 7919) >> 5) as u8).collect()
    };
    for (height, width, size) in
        [(720, 1280, 512), (720, 1280, 256), (480, 640, 512), (1080, 1920, 512), (2160, 3840, 512), (512, 512, 512)]
    {
        let source = picture(height, width);
        let mut into = vec![0; size * size * 3];
        let mut square = Square::new([height, width], size, true)?;
        time(&format!("square {width}x{height} -> {size}"), || square.apply(black_box(&source), &mut into))?;
    }
    let (over, under) = (picture(512, 512), picture(512, 512));
    let mut into = vec![0; over.len()];
    let mut tensor = vec![0.0; over.len()];
    time("normalise 512", || normalise(black_box(&over), &mut tensor))?;
    time("denormalise 512", || denormalise(black_box(&tensor), &mut into))?;
    time("blend 512", || blend(black_box(&over), black_box(&under), 0.3, &mut into))
}
