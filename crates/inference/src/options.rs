//! How a model is run.

use crate::cores::Cores;
use std::fmt;
use std::str::FromStr;

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU through CUDA.
    Cuda,
    /// An NVIDIA GPU through TensorRT, which builds an engine at first use: minutes.
    TensorRt,
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cpu => "CPU",
            Self::Cuda => "CUDA",
            Self::TensorRt => "TensorRT",
        })
    }
}

/// What the user wants a model to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// CUDA if it works here, else the processor; which one, and why, is said in the log.
    #[default]
    Auto,
    /// That one and no other: if it does not work, the node ends with the reason.
    Only(Provider),
}

impl FromStr for Choice {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Only(Provider::Cpu)),
            "cuda" => Ok(Self::Only(Provider::Cuda)),
            "tensorrt" => Ok(Self::Only(Provider::TensorRt)),
            _ => Err(()),
        }
    }
}

impl Choice {
    /// What [`FromStr`] takes, for errors.
    pub const EXPECTED: &str = "auto, cpu, cuda or tensorrt";
}

/// How long waiting threads stay awake unless somebody says otherwise, in microseconds: longer than from one operator to the
/// next within a run, where waking a thread up cost a seventh of a picture's time, and shorter than what another stage that
/// shares the cores would notice. Without a bound (ONNX Runtime's own default) three stages on two cores were twice as slow. Behind
/// the last operator of a run nobody stays awake.
pub const SPIN_US: u32 = 200;

/// How a session is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it runs.
    pub provider: Choice,
    /// Threads inside an operator; 0 is one a core.
    pub threads: usize,
    /// Microseconds that a waiting thread stays awake within a run before it sleeps; 0 is none.
    pub spin_us: u32,
    /// On which cores the threads run, the one that calls the model among them. On the processor only.
    pub cores: Cores,
}

impl Default for Options {
    fn default() -> Self {
        Self { provider: Choice::default(), threads: 0, spin_us: SPIN_US, cores: Cores::Any }
    }
}
