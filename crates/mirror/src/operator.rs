//! `mirror operator`: an operator's library into the mirror that runs, and what becomes of it. `scripts/operator` builds it.

use crate::contract::program;
use crate::house::{DATAFLOW, House};
use crate::kept::Kept;
use crate::overrides::Overrides;
use crate::page::Page;
use crate::swap::found;
use crate::which::Which;
use clap::Args;
use eyre::{Result, WrapErr, bail};
use mirror_kit::words::{LIVE, REFUSED};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// What says where a host looks for its library.
const LIBRARY: &str = "OPERATOR_LIBRARY";
/// Where it looks if nothing says so (nodes/operator/src/config.rs).
const PLACE: &str = ".mirror/operator.so";
/// The host: its program, and the node that is meant where several run it.
const HOST: &str = "operator";
/// How long the mirror may take to say what becomes of it. Mostly it is a second; a library that does not answer takes two
/// (`OPERATOR_PATIENCE_MS`), and a machine that builds meanwhile takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Puts an operator's library into the mirror that runs, and says what becomes of it: it is live, or it is refused and why.
///
/// `make operator NAME=grade` builds one, then does this.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The library: target/release/libgrade.so
    #[arg(required_unless_present = "off")]
    library: Option<PathBuf>,
    /// Takes the operator out
    #[arg(long, conflicts_with = "library")]
    off: bool,
    #[command(flatten)]
    which: Which,
}

/// A node that runs operators.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    /// The node.
    id: String,
    /// Where it looks for its library, seen from the project's root.
    library: String,
}

/// Runs the subcommand.
///
/// # Errors
/// The library cannot be put in its place; the mirror refuses it, or does not say what it makes of it.
pub fn run(arguments: &Arguments) -> Result<()> {
    let here = std::env::current_dir().wrap_err("the current folder cannot be found")?;
    let house = House::find(&here, Path::new(DATAFLOW))?;
    let (root, which) = (&house.root, &arguments.which);
    let kept = found(root, which)?.map(|(_, id)| Kept::read(root, &id)).transpose()?;
    let asked = std::env::var(LIBRARY).ok().filter(|place| !place.trim().is_empty());
    let host = kept.as_ref().and_then(|kept| host(root, kept, asked.as_deref()));
    let place = host.as_ref().map(|host| host.library.clone()).or(asked).unwrap_or_else(|| next(&house, which));
    let path = root.join(&place);
    let Some(library) = &arguments.library else { return take_out(&path) };
    let shown = library.display();
    let put = || put(&here.join(library), &path);
    match (kept, host) {
        (None, _) => {
            put()?;
            println!("{shown} is in {place}: no mirror called {} runs here, the next one shows it", which.name);
        }
        (Some(kept), None) => {
            put()?;
            let graph = kept.dataflow.file_name().unwrap_or_default().display();
            println!("{shown} is in {place}, and the mirror that runs does not look there: {graph} has no node for it");
        }
        (Some(kept), Some(host)) => {
            let page = Page::of_house(&House::with(root, &kept.dataflow, &kept.graph)?, &kept.overrides)?;
            let before = page.figures();
            put()?;
            let unknown = || format!("{shown} is in {place}, but what becomes of it is not known");
            let before = before.wrap_err_with(unknown)?;
            let last = before.notices.last().map_or(0, |notice| notice.id);
            println!("{}", outcome(&page, &host.id, last)?);
        }
    }
    Ok(())
}

/// The node that looks where somebody has asked it to be put; if nobody has, the one without a place of its own.
fn host(root: &Path, kept: &Kept, asked: Option<&str>) -> Option<Host> {
    let of_all = kept.overrides.get(LIBRARY).map(String::as_str).or(kept.graph["env"][LIBRARY].as_str());
    let nodes = kept.graph["nodes"].as_sequence().into_iter().flatten();
    let mut hosts = nodes.filter(|node| program(node) == Some(HOST));
    let host = hosts.find(|node| {
        let own = node["env"][LIBRARY].as_str();
        match asked {
            Some(asked) => root.join(own.or(of_all).unwrap_or(PLACE)) == root.join(asked),
            None => own.is_none() || node["id"] == HOST,
        }
    })?;
    let library = host["env"][LIBRARY].as_str().or(of_all).unwrap_or(PLACE).to_owned();
    Some(Host { id: host["id"].as_str()?.to_owned(), library })
}

/// Where the next mirror of that name looks.
fn next(house: &House, which: &Which) -> String {
    let mut overrides = Overrides::new();
    which.separate(house, &mut overrides);
    house.value(&overrides, LIBRARY).unwrap_or_else(|| PLACE.to_owned())
}

/// Written beside its place, then renamed: the mirror never sees half of it.
fn put(library: &Path, place: &Path) -> Result<()> {
    let mut part = OsString::from(place);
    part.push(".part");
    place.parent().map_or(Ok(()), fs::create_dir_all).wrap_err_with(|| place.display().to_string())?;
    fs::copy(library, &part).wrap_err_with(|| format!("{} cannot be copied", library.display()))?;
    fs::rename(&part, place).wrap_err_with(|| place.display().to_string())
}

fn take_out(place: &Path) -> Result<()> {
    let shown = place.display();
    match fs::remove_file(place) {
        Ok(()) => println!("no operator in {shown} any more: pictures pass unchanged"),
        Err(error) if error.kind() == ErrorKind::NotFound => println!("there is no operator in {shown}"),
        Err(error) => return Err(error).wrap_err_with(|| format!("{shown} cannot be removed")),
    }
    Ok(())
}

/// What the host says after that notice: the operator is live.
fn outcome(page: &Page, host: &str, last: u64) -> Result<String> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(100));
        // A page that has much to do is asked again.
        let Ok(figures) = page.figures() else { continue };
        let said = figures.notices.iter().filter(|notice| notice.id > last && notice.origin == host);
        for text in said.map(|notice| &notice.text) {
            if text.starts_with(REFUSED) {
                bail!("{text}");
            }
            if text.contains(LIVE) {
                return Ok(text.clone());
            }
        }
    }
    bail!("{host} has not said in {} s what becomes of it: look at {}", PATIENCE.as_secs(), page.address())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::graph;

    fn kept(name: &str, overrides: &[(&str, &str)]) -> Kept {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
        let overrides = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Kept { graph: graph(&path).unwrap(), dataflow: path, overrides }
    }

    fn found(kept: &Kept, asked: Option<&str>) -> Option<(String, String)> {
        host(Path::new("/house"), kept, asked).map(|host| (host.id, host.library))
    }

    #[test]
    fn the_library_goes_where_the_host_of_the_graph_that_runs_looks() {
        let of = |id: &str, library: &str| Some((id.to_owned(), library.to_owned()));
        for name in ["dataflow.yml", "dataflow.video.yml", "dataflow.operators.yml"] {
            assert_eq!(found(&kept(name, &[]), None), of("operator", ".mirror/operator.so"), "{name}");
            let garden = kept(name, &[(LIBRARY, ".mirror/operator-garden.so")]);
            assert_eq!(found(&garden, None), of("operator", ".mirror/operator-garden.so"), "{name}");
        }
    }

    #[test]
    fn where_somebody_has_asked_for_a_place_the_host_that_looks_there_is_meant() {
        let kept = kept("dataflow.operators.yml", &[]);
        for place in ["target/release/libpreprocess.so", "/house/target/release/libpreprocess.so"] {
            assert_eq!(found(&kept, Some(place)).map(|(id, _)| id).as_deref(), Some("preprocess"));
        }
        assert_eq!(found(&kept, Some("elsewhere.so")), None);
    }

    #[test]
    fn a_graph_without_a_host_has_no_place_for_it() {
        for name in ["fused", "two-cameras", "side-by-side", "verbatim", "python"] {
            assert_eq!(found(&kept(&format!("dataflow.{name}.yml"), &[]), None), None, "{name}");
        }
    }

    #[test]
    fn a_library_comes_into_its_place_whole_and_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let (library, place) = (folder.path().join("libgrade.so"), folder.path().join("new/operator.so"));
        fs::write(&library, "one").unwrap();
        put(&library, &place).unwrap();
        fs::write(&library, "another").unwrap();
        put(&library, &place).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "another");
        assert_eq!(fs::read_dir(place.parent().unwrap()).unwrap().count(), 1);
        take_out(&place).unwrap();
        take_out(&place).unwrap();
        assert!(!place.exists());
        let error = put(&folder.path().join("nowhere.so"), &place).unwrap_err().to_string();
        assert!(error.ends_with("nowhere.so cannot be copied"), "{error}");
    }
}
