//! The packs that are there, and all the processors that they offer.

use crate::pack::Pack;
use crate::processor::{self, Processor};
use eyre::{Result, WrapErr, eyre};
use std::fs;
use std::path::{Path, PathBuf};

/// A directory with this file is a pack.
const INDEX: &str = "model_index.json";

/// The processor that a stream starts with where there is one of that name: the parameter table's default.
const FIRST: &str = "turbo";

/// All packs and processors. Names of processors are unique: one of the default pack has the name that its pack gives it;
/// of others one that is already taken is called `pack/name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    /// The packs, the default one first.
    packs: Vec<Pack>,
    /// The processors, those of the default pack first.
    processors: Vec<Processor>,
    /// What was derived or left out, a line each, for the log.
    remarks: Vec<String>,
}

impl Installed {
    /// Looks for packs: the default one in `default`, and those that `list` names: directories of packs, and directories
    /// that hold some, with `:` between them. An empty list is the directory that the default pack lies in.
    ///
    /// A pack of the list that cannot be used is left out, and [`remarks`](Self::remarks) say why.
    ///
    /// # Errors
    /// The default pack cannot be used.
    pub fn find(default: &Path, list: &str) -> Result<Self> {
        let first = Pack::open(default)?;
        let mut found = Self { packs: Vec::new(), processors: Vec::new(), remarks: Vec::new() };
        found.add(first).wrap_err_with(|| format!("model pack {}", default.display()))?;
        let canonical = default.canonicalize().wrap_err_with(|| format!("model pack {}", default.display()))?;
        let parent = canonical.parent().map_or_else(PathBuf::new, Path::to_owned);
        let named = list.split(':').map(str::trim).filter(|part| !part.is_empty()).map(PathBuf::from);
        let mut places: Vec<PathBuf> = named.collect();
        if places.is_empty() {
            places.push(parent);
        }
        for directory in places.iter().flat_map(|place| found.packs_in(place)).collect::<Vec<_>>() {
            found.take(&directory, &canonical);
        }
        found.qualify();
        Ok(found)
    }

    /// The directories of packs in a place: itself, or those right below it.
    fn packs_in(&mut self, place: &Path) -> Vec<PathBuf> {
        if place.join(INDEX).is_file() {
            return vec![place.to_owned()];
        }
        let Ok(entries) = fs::read_dir(place) else {
            self.remarks.push(format!("{} is no directory: there are no packs in it", place.display()));
            return Vec::new();
        };
        let mut below: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        below.retain(|path| path.join(INDEX).is_file());
        // The order of a directory is the file system's; names must not depend on it.
        below.sort();
        below
    }

    /// Takes a pack in, unless it is there or cannot be used.
    fn take(&mut self, directory: &Path, default: &Path) {
        if directory.canonicalize().is_ok_and(|path| path == default) {
            return;
        }
        let added = Pack::open(directory).and_then(|pack| self.add(pack));
        if let Err(error) = added {
            self.remarks.push(format!("left out: {error:#}"));
        }
    }

    fn add(&mut self, pack: Pack) -> Result<()> {
        if let Some(other) = self.packs.iter().find(|other| other.name == pack.name) {
            let (one, other) = (pack.directory.display(), other.directory.display());
            return Err(eyre!("{one}: {other} is a pack of the same name"));
        }
        let list = processor::processors(&pack.directory)?;
        if let ([only], false) = (list.as_slice(), processor::is_listed(&pack.directory)) {
            let Processor { name, steps, guidance_scale, text, .. } = only;
            let steps = if *steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
            self.remarks
                .push(format!("pack {}: processor {name}, {steps}, guidance {guidance_scale}. {text}", pack.name));
        }
        self.processors.extend(list.into_iter().map(|one| Processor { pack: pack.name.clone(), ..one }));
        self.packs.push(pack);
        Ok(())
    }

    /// Gives processors of other packs that share a name the name of their pack as well.
    fn qualify(&mut self) {
        let default = self.default_pack().name.clone();
        let names: Vec<String> = self.processors.iter().map(|one| one.name.clone()).collect();
        for processor in self.processors.iter_mut().filter(|one| one.pack != default) {
            if names.iter().filter(|name| **name == processor.name).count() > 1 {
                processor.name = format!("{}/{}", processor.pack, processor.name);
            }
        }
    }

    /// The pack that streams start with.
    #[must_use]
    pub fn default_pack(&self) -> &Pack {
        // `find` has put it there.
        &self.packs[0]
    }

    /// All packs, the default one first.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of that name; the empty name is the default one's.
    #[must_use]
    pub fn pack(&self, name: &str) -> Option<&Pack> {
        if name.is_empty() { self.packs.first() } else { self.packs.iter().find(|pack| pack.name == name) }
    }

    /// All processors, those of the default pack first.
    #[must_use]
    pub fn processors(&self) -> &[Processor] {
        &self.processors
    }

    /// The processor of that name. Every one also answers to `pack/name`.
    #[must_use]
    pub fn processor(&self, name: &str) -> Option<&Processor> {
        processor::find(&self.processors, name)
    }

    /// The processor that a stream starts with: `turbo` of the default pack, else that pack's first.
    #[must_use]
    pub fn first(&self) -> &Processor {
        let default = &self.default_pack().name;
        // The default pack's are at the front, and it has at least one: `find` has seen to it.
        self.processors.iter().find(|one| one.pack == *default && one.name == FIRST).unwrap_or(&self.processors[0])
    }

    /// The names of all processors, for people: `turbo, standard`.
    #[must_use]
    pub fn names(&self) -> String {
        self.processors.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What was derived or left out, a line each, for the log.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }
}
