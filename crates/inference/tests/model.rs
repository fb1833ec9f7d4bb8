//! Small graphs, really run.

use mirror_inference::{Choice, Cores, Model, Options, Provider, Runtime, cores};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::load().expect("run \"make setup\" first"))
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str) -> Model {
    let options = Options { provider: Choice::Only(Provider::Cpu), ..Options::default() };
    Model::open(runtime(), &fixture(name), &options).expect("it opens")
}

#[test]
fn what_is_written_later_is_seen_without_binding_again() {
    let mut model = open("double_f32.onnx");
    model.shape_input("sample", &[1, 3]).expect("it fits");
    model.shape_output("doubled", &[1, 3]).expect("it fits");
    for start in [1.0, 10.0] {
        model.write("sample", |values| values.copy_from_slice(&[start, 2.0, 3.0])).expect("floats");
        model.run().expect("it runs");
        let doubled = model.read("doubled", <[f32]>::to_vec).expect("floats");
        assert_eq!(doubled, [2.0 * start, 4.0, 6.0]);
    }
}

/// The cores on which a thread may run, as the system writes them.
fn cores_of(status: &Path) -> String {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.map(|list| list.trim().to_owned()).unwrap_or_default()
}

#[test]
fn the_thread_that_runs_a_model_and_those_of_the_model_keep_to_the_cores_that_are_named() {
    let all = cores::all();
    // The last one first: what a model of another test may have been given is another order.
    let named: Vec<usize> = all.iter().rev().copied().collect();
    for threads in [1, all.len()] {
        let named = named.clone();
        let run = move || {
            let options = Options {
                provider: Choice::Only(Provider::Cpu),
                threads,
                cores: Cores::These(named.clone()),
                ..Options::default()
            };
            let mut model = Model::open(runtime(), &fixture("double_f32.onnx"), &options).expect("it opens");
            model.shape_input("sample", &[1, 3]).expect("it fits");
            model.shape_output("doubled", &[1, 3]).expect("it fits");
            model.write("sample", |values| values.fill(2.0)).expect("floats");
            model.run().expect("it runs");
            assert_eq!(model.read("doubled", <[f32]>::to_vec).expect("floats"), [4.0; 3]);
            assert_eq!(cores_of(Path::new("/proc/thread-self/status")), named[0].to_string());
            // A thread of the model's takes its core when it starts, which may be later than the first run.
            let until = Instant::now() + Duration::from_secs(5);
            loop {
                let tasks = std::fs::read_dir("/proc/self/task").expect("the system has it").flatten();
                let kept: Vec<String> = tasks.map(|task| cores_of(&task.path().join("status"))).collect();
                if named[..threads].iter().all(|core| kept.contains(&core.to_string())) {
                    break;
                }
                assert!(Instant::now() < until, "{threads} threads should keep to {named:?}, and keep to {kept:?}");
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        std::thread::spawn(run).join().expect("it ends");
    }
}

#[test]
fn a_tensor_can_change_its_shape_between_runs() {
    let mut model = open("double_f32.onnx");
    for width in [3, 5, 3] {
        model.shape_input("sample", &[2, width]).expect("it fits");
        model.shape_output("doubled", &[2, width]).expect("it fits");
        model.write("sample", |values| values.fill(0.5)).expect("floats");
        model.run().expect("it runs");
        assert_eq!(model.read("doubled", <[f32]>::to_vec).expect("floats"), vec![1.0; 2 * width]);
    }
}

#[test]
fn a_graph_of_half_floats_is_written_and_read_as_floats() {
    let mut model = open("double_f16.onnx");
    model.shape_input("sample", &[1, 2]).expect("it fits");
    model.shape_output("doubled", &[1, 2]).expect("it fits");
    model.write("sample", |values| values.copy_from_slice(&[0.25, -3.0])).expect("floats");
    model.run().expect("it runs");
    assert_eq!(model.read("doubled", <[f32]>::to_vec).expect("floats"), [0.5, -6.0]);
}

#[test]
fn ids_of_either_width_are_looked_up() {
    for name in ["look_up_i64.onnx", "look_up_i32.onnx"] {
        let mut model = open(name);
        model.shape_input("ids", &[1, 2]).expect("it fits");
        model.shape_output("embedding", &[1, 2, 2]).expect("it fits");
        model.write_integers("ids", |ids| ids.copy_from_slice(&[2, 0])).expect("integers");
        model.run().expect("it runs");
        assert_eq!(model.read("embedding", <[f32]>::to_vec).expect("floats"), [4.0, 5.0, 0.0, 1.0]);
        assert!(model.write("ids", |_| ()).is_err());
    }
}

fn message<T>(result: eyre::Result<T>) -> String {
    result.err().map(|error| format!("{error:#}")).unwrap_or_default()
}

#[test]
fn a_shape_that_the_graph_cannot_take_is_named() {
    let mut model = open("look_up_i64.onnx");
    let message = message(model.shape_input("ids", &[2, 2]));
    assert!(message.ends_with("look_up_i64.onnx: ids [1, ?] cannot take the shape [2, 2]"), "{message}");
}

#[test]
fn a_port_that_is_not_there_is_answered_with_those_that_are() {
    let message = message(open("double_f32.onnx").shape_input("latent", &[1]));
    assert!(message.ends_with("double_f32.onnx has no input \"latent\"; it has sample"), "{message}");
}

#[test]
fn a_missing_graph_is_named() {
    let message = message(Model::open(runtime(), &fixture("nowhere.onnx"), &Options::default()));
    assert!(message.ends_with("nowhere.onnx is missing: the pack is not whole"), "{message}");
}

#[test]
fn a_corrupt_graph_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for bytes in [&b""[..], b"not a graph", &std::fs::read(fixture("double_f32.onnx")).expect("a file")[..60]] {
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, bytes).expect("a file");
        let message = message(Model::open(runtime(), &path, &Options::default()));
        let expected = format!("model.onnx ({} bytes) is not a graph that can be run", bytes.len());
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn a_provider_that_was_asked_for_and_does_not_work_is_an_error_not_another_provider() {
    let options = Options { provider: Choice::Only(Provider::Cuda), ..Options::default() };
    match Model::open(runtime(), &fixture("double_f32.onnx"), &options) {
        // On a machine with CUDA it must be CUDA that runs.
        Ok(model) => assert_eq!(model.provider(), Provider::Cuda),
        Err(error) => assert!(format!("{error:#}").contains("provider CUDA does not work here"), "{error:#}"),
    }
}
