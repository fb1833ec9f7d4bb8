//! The ONNX Runtime library: where it is, and whether it will do.

use eyre::{Result, WrapErr, bail, eyre};
use ort::LoadDynamicError;
use ort::environment::Environment;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where `make setup` puts the library, seen from the project's root, where dora starts the nodes.
pub const INSTALLED: &str = ".mirror/onnxruntime/libonnxruntime.so";

/// The oldest release that the bindings can talk to (their feature `api-24`).
const OLDEST_MINOR: u32 = 24;

/// A process has one environment, from whichever library came first, and keeps it.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The loaded library. Sessions need it to be alive.
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
}

impl Runtime {
    /// Loads the library that `ORT_DYLIB_PATH` names, else the one that `make setup` installed.
    ///
    /// # Errors
    /// No library there, one that cannot be loaded, or one that is too old.
    pub fn load() -> Result<Self> {
        match env::var_os("ORT_DYLIB_PATH") {
            Some(path) if !path.is_empty() => Self::load_from(Path::new(&path)),
            _ => Self::load_from(&installed().unwrap_or_else(|| PathBuf::from(INSTALLED))),
        }
    }

    /// Loads that library.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_from(path: &Path) -> Result<Self> {
        let shown = path.display();
        if !path.is_file() {
            bail!("ONNX Runtime is not at {shown}: run \"make setup\", or name the library in ORT_DYLIB_PATH");
        }
        let remedy = "run \"make setup\", or name another in ORT_DYLIB_PATH";
        let unusable = || format!("{shown} is not a usable ONNX Runtime: {remedy}");
        let builder = match ort::init_from(path) {
            Err(LoadDynamicError::BadVersion { version_str, .. }) => Err(eyre!(
                "ONNX Runtime at {shown} is release {version_str}; 1.{OLDEST_MINOR} or newer is needed: {remedy}"
            )),
            loaded => loaded.wrap_err_with(unusable),
        }?;
        let mut known = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = match &*known {
            Some(environment) => environment.clone(),
            None => known.insert(builder.with_name("mirror").build().wrap_err_with(unusable)?).clone(),
        };
        Ok(Self { environment, library: path.to_owned() })
    }

    /// The library's file.
    #[must_use]
    pub fn library(&self) -> &Path {
        &self.library
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// The installed library, looked for from here upwards: tests run in their crate's folder.
fn installed() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(INSTALLED)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn message(path: &Path) -> String {
        Runtime::load_from(path).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn a_missing_library_is_named_with_the_remedy() {
        let expected =
            "ONNX Runtime is not at nowhere/lib.so: run \"make setup\", or name the library in ORT_DYLIB_PATH";
        assert_eq!(message(Path::new("nowhere/lib.so")), expected);
    }

    /// A library that exports what ONNX Runtime does to say its release (onnxruntime_c_api.h, `OrtApiBase`).
    const OLD: &str = r#"
static const void *api(unsigned int version) { return 0; }
static const char *release(void) { return "1.20.1"; }
static const struct { const void *(*api)(unsigned int); const char *(*release)(void); } base = { api, release };
const void *OrtGetApiBase(void) { return &base; }
"#;

    #[test]
    fn a_library_that_is_too_old_is_refused_with_its_release() {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, old) = (folder.path().join("old.c"), folder.path().join("libonnxruntime.so"));
        std::fs::write(&source, OLD).expect("a file");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&old, &source]).status();
        assert!(compiled.expect("a C compiler: scripts/setup").success());
        assert!(message(&old).contains("is release 1.20.1; 1.24 or newer is needed"), "{}", message(&old));
    }

    #[test]
    fn a_file_that_is_no_library_is_an_error_not_a_panic() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("libonnxruntime.so");
        std::fs::write(&file, "not a library").expect("a file");
        assert!(message(&file).contains("is not a usable ONNX Runtime"), "{}", message(&file));
    }
}
