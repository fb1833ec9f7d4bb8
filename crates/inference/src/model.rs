//! One graph, ready to run.

use crate::cores;
use crate::options::{Choice, Options, Provider};
use crate::port::{Element, Port};
use crate::runtime::Runtime;
use crate::slot::Slot;
use eyre::{Result, WrapErr, bail, eyre};
use ort::ep::{CUDA, ExecutionProvider, ExecutionProviderDispatch, TensorRT};
use ort::session::IoBinding;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use std::path::{Path, PathBuf};

/// An ONNX graph with its tensors bound: written and read in place, run after run.
pub struct Model {
    session: Session,
    binding: IoBinding,
    path: PathBuf,
    provider: Provider,
    /// The core that the thread which runs it keeps to.
    core: Option<usize>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    bound_inputs: Vec<Slot>,
    bound_outputs: Vec<Slot>,
}

impl Model {
    /// Opens a graph. The log says which provider runs it and, if `auto` did not take CUDA, why.
    ///
    /// # Errors
    /// A missing or corrupt file, a provider that was asked for and does not work.
    pub fn open(runtime: &Runtime, path: &Path, options: &Options) -> Result<Self> {
        if !path.is_file() {
            bail!("{} is missing: the pack is not whole", path.display());
        }
        let (session, provider) = match options.provider {
            Choice::Only(provider) => (open_on(runtime, path, options, provider)?, provider),
            Choice::Auto => open_on_best(runtime, path, options)?,
        };
        let inputs: Vec<Port> = session.inputs().iter().map(Port::of).collect();
        let outputs: Vec<Port> = session.outputs().iter().map(Port::of).collect();
        let list = |ports: &[Port]| ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        tracing::info!("{} on {provider}: {} → {}", path.display(), list(&inputs), list(&outputs));
        let binding = session.create_binding()?;
        let (bound_inputs, bound_outputs) = (Vec::new(), Vec::new());
        let core = plan(options, provider).map(|cores| cores[0]);
        Ok(Self {
            session,
            binding,
            path: path.to_owned(),
            provider,
            core,
            inputs,
            outputs,
            bound_inputs,
            bound_outputs,
        })
    }

    /// What runs it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Its inputs.
    #[must_use]
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// Its outputs.
    #[must_use]
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The input of that name.
    ///
    /// # Errors
    /// The graph has none: the error lists those it has.
    pub fn input(&self, name: &str) -> Result<&Port> {
        find(&self.path, "input", &self.inputs, name)
    }

    /// The output of that name.
    ///
    /// # Errors
    /// As [`input`](Self::input).
    pub fn output(&self, name: &str) -> Result<&Port> {
        find(&self.path, "output", &self.outputs, name)
    }

    /// Gives an input its shape. Does nothing when it has it already.
    ///
    /// # Errors
    /// A shape that the graph cannot take.
    pub fn shape_input(&mut self, name: &str, shape: &[usize]) -> Result<()> {
        if self.bound_inputs.iter().any(|slot| slot.name == name && slot.shape == shape) {
            return Ok(());
        }
        let slot = make(&self.path, self.input(name)?, shape)?;
        slot.bind_input(&mut self.binding)?;
        self.bound_inputs.retain(|bound| bound.name != name);
        self.bound_inputs.push(slot);
        Ok(())
    }

    /// Gives an output its shape: the caller knows it, so that no run allocates.
    ///
    /// # Errors
    /// A shape that the graph cannot have.
    pub fn shape_output(&mut self, name: &str, shape: &[usize]) -> Result<()> {
        if self.bound_outputs.iter().any(|slot| slot.name == name && slot.shape == shape) {
            return Ok(());
        }
        let mut slot = make(&self.path, self.output(name)?, shape)?;
        slot.bind_output(&mut self.binding)?;
        self.bound_outputs.retain(|bound| bound.name != name);
        self.bound_outputs.push(slot);
        Ok(())
    }

    /// Lets `fill` write the values of a float input, 16 or 32 bits in the graph.
    ///
    /// # Errors
    /// An input that has no shape yet, or holds integers.
    pub fn write(&mut self, name: &str, fill: impl FnOnce(&mut [f32])) -> Result<()> {
        if slot(&self.path, &mut self.bound_inputs, name)?.write(fill) {
            Ok(())
        } else {
            bail!("{}: input {name} holds integers, not floats", self.path.display())
        }
    }

    /// Lets `fill` write the values of an integer input, 32 or 64 bits in the graph.
    ///
    /// # Errors
    /// An input that has no shape yet, or holds floats.
    pub fn write_integers(&mut self, name: &str, fill: impl FnOnce(&mut [i64])) -> Result<()> {
        if slot(&self.path, &mut self.bound_inputs, name)?.write_integers(fill) {
            Ok(())
        } else {
            bail!("{}: input {name} holds floats, not integers", self.path.display())
        }
    }

    /// Runs the graph on what was written.
    ///
    /// # Errors
    /// ONNX Runtime's own, with the graph's file.
    pub fn run(&mut self) -> Result<()> {
        if self.provider != Provider::Cpu {
            // A device has its own copy of an input, made when it is bound.
            for slot in &self.bound_inputs {
                slot.bind_input(&mut self.binding)?;
            }
        }
        self.core.into_iter().for_each(cores::keep);
        let run = self.session.run_binding(&self.binding).map(drop);
        run.wrap_err_with(|| format!("{} does not run", self.path.display()))
    }

    /// Lets `take` read the values of an output.
    ///
    /// # Errors
    /// An output that has no shape yet, or holds integers.
    pub fn read<T>(&mut self, name: &str, take: impl FnOnce(&[f32]) -> T) -> Result<T> {
        let path = &self.path;
        let floats = slot(path, &mut self.bound_outputs, name)?.floats();
        floats.map(take).ok_or_else(|| eyre!("{}: output {name} holds integers, not floats", path.display()))
    }
}

fn find<'a>(path: &Path, side: &str, ports: &'a [Port], name: &str) -> Result<&'a Port> {
    ports.iter().find(|port| port.name == name).ok_or_else(|| {
        let list = ports.iter().map(|port| &*port.name).collect::<Vec<_>>().join(", ");
        eyre!("{} has no {side} \"{name}\"; it has {list}", path.display())
    })
}

fn make(path: &Path, port: &Port, shape: &[usize]) -> Result<Slot> {
    if !port.fits(shape) {
        bail!("{}: {port} cannot take the shape {shape:?}", path.display());
    }
    let element: Element =
        port.element.ok_or_else(|| eyre!("{}: {port} has an element type that is not supported", path.display()))?;
    Ok(Slot::new(&port.name, element, shape)?)
}

fn slot<'a>(path: &Path, slots: &'a mut [Slot], name: &str) -> Result<&'a mut Slot> {
    slots
        .iter_mut()
        .find(|slot| slot.name == name)
        .ok_or_else(|| eyre!("{}: {name} was used before it got a shape", path.display()))
}

fn open_on_best(runtime: &Runtime, path: &Path, options: &Options) -> Result<(Session, Provider)> {
    // The provider's file being there is no promise: only a session that opens shows that CUDA works.
    if !CUDA::is_available().unwrap_or(false) {
        tracing::info!("provider auto: CPU, because this ONNX Runtime has no CUDA provider");
        return Ok((open_on(runtime, path, options, Provider::Cpu)?, Provider::Cpu));
    }
    match open_on(runtime, path, options, Provider::Cuda) {
        Ok(session) => Ok((session, Provider::Cuda)),
        Err(error) => {
            tracing::warn!("provider auto: CPU, because CUDA does not work: {error:#}");
            Ok((open_on(runtime, path, options, Provider::Cpu)?, Provider::Cpu))
        }
    }
}

/// How many threads a model has.
fn threads(options: &Options) -> usize {
    if options.threads == 0 { cores::all().len() } else { options.threads }
}

/// The core of each of them, the one that runs the model first.
fn plan(options: &Options, provider: Provider) -> Option<Vec<usize>> {
    (provider == Provider::Cpu).then(|| options.cores.plan(threads(options), cores::all()))?
}

fn open_on(runtime: &Runtime, path: &Path, options: &Options, provider: Provider) -> Result<Session> {
    let providers: Vec<ExecutionProviderDispatch> = match provider {
        Provider::Cpu => vec![],
        Provider::Cuda => vec![CUDA::default().build().error_on_failure()],
        Provider::TensorRt => {
            vec![TensorRT::default().build().error_on_failure(), CUDA::default().build().error_on_failure()]
        }
    };
    // ONNX Runtime counts cores from 1, and the thread that calls it is not one of its own.
    let cores =
        plan(options, provider).map(|cores| cores[1..].iter().map(|core| (core + 1).to_string()).collect::<Vec<_>>());
    let build = || -> ort::Result<SessionBuilder> {
        let builder = Session::builder(runtime.environment())?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(threads(options))?
            .with_intra_op_spinning(options.spin_us > 0)?
            .with_config_entry("session.intra_op.spin_duration_us", options.spin_us.to_string())?
            // Awake from one operator to the next, and not behind the last one: then what was made is on its way to the next
            // stage, which needs the cores (onnxruntime_session_options_config_keys.h, kOrtSessionOptionsConfigForceSpinningStop).
            .with_config_entry("session.force_spinning_stop", "1")?
            .with_execution_providers(providers)?;
        Ok(match &cores {
            // One thread is the caller's alone.
            Some(cores) if !cores.is_empty() => {
                builder.with_config_entry("session.intra_op_thread_affinities", cores.join(";"))?
            }
            _ => builder,
        })
    };
    let mut builder = build().wrap_err_with(|| format!("provider {provider} does not work here"))?;
    let size = path.metadata().map_or(0, |metadata| metadata.len());
    builder
        .commit_from_file(path)
        .wrap_err_with(|| format!("{} ({size} bytes) is not a graph that can be run", path.display()))
}
