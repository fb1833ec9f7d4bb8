//! What a plan is asked for: how many steps, and from where.

/// The steps of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steps<'a> {
    /// So many, spread as the configuration says.
    Count(usize),
    /// These timesteps, falling. Taken by the classes that take them in diffusers: Euler (without Karras or exponential
    /// sigmas), LCM, TCD and DPM-Solver++.
    Timesteps(&'a [usize]),
}

impl Steps<'_> {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Count(count) => *count,
            Self::Timesteps(timesteps) => timesteps.len(),
        }
    }
}

impl From<usize> for Steps<'_> {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl<'a> From<&'a [usize]> for Steps<'a> {
    fn from(timesteps: &'a [usize]) -> Self {
        Self::Timesteps(timesteps)
    }
}

impl<'a, const COUNT: usize> From<&'a [usize; COUNT]> for Steps<'a> {
    fn from(timesteps: &'a [usize; COUNT]) -> Self {
        Self::Timesteps(timesteps)
    }
}

/// How far up the schedule image-to-image starts: 0 leaves the picture, 1 repaints it. Text-to-image is strength 1.
///
/// The mirror uses [`Continuous`](Self::Continuous) live: a hand on the slider shall change the picture smoothly, and a
/// pack of one step shall work at every strength; in diffusers, one step at strength 0.9 is no step at all. The other rule is
/// there to get the picture that a script with diffusers got. At strength 1 both give the same, but for one step of
/// linspace spacing: diffusers evaluates it at timestep 0, where nothing but noise comes of it, Mirror at the top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strength {
    /// The schedule is cut off at this share of its timesteps, and all steps are spread over what is left. Where that is
    /// fewer timesteps than steps, each is taken once.
    Continuous(f64),
    /// The steps are spread over the whole schedule, and the last ⌊steps × strength⌋ of them are taken
    /// (`StableDiffusionImg2ImgPipeline.get_timesteps`).
    Diffusers(f64),
}

impl Strength {
    /// The number itself.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Continuous(value) | Self::Diffusers(value) => value,
        }
    }
}
