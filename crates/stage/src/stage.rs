//! A node's part of all packs that are in use.

use crate::shelf::Shelf;
use eyre::{Result, eyre};
use mirror_contract::{Level, Readiness, Settings};
use mirror_inference::{Config, Options, Provider, Runtime};
use mirror_kit::{Book, Key, Node};
use mirror_models::{Installed, Pack};
use std::collections::BTreeSet;

/// The output on which a stage says that it has opened a pack, or why it cannot.
pub const READINESS: &str = "readiness";

/// A part of a pack, as a node runs it.
pub trait Opens: Sized + Send + 'static {
    /// Opens it.
    ///
    /// # Errors
    /// A graph that cannot be opened, or that does not fit the pack.
    fn open(runtime: &Runtime, pack: &Pack, options: &Options) -> Result<Self>;

    /// What runs it.
    fn provider(&self) -> Provider;
}

/// A node's part of all packs that are in use, and the settings that say which stream uses which.
pub struct Stage<T> {
    /// The name of the pack that streams start with.
    default: String,
    shelf: Shelf<T>,
    book: Book,
    /// Packs of which `control` knows how they are; it asks with the settings.
    told: BTreeSet<String>,
}

impl<T: Opens> Stage<T> {
    /// Reads the configuration, opens the default pack, and says what runs it.
    ///
    /// # Errors
    /// A configuration or a default pack that cannot be used.
    pub fn open(node: &mut Node, keys: &'static [Key]) -> Result<Self> {
        // Who has just started asks: settings and embedding are there when the pack is open, and not a second later.
        if node.declares(READINESS) {
            node.send(READINESS, Readiness::started())?;
        }
        let Config { pack, packs, packs_open, options } = Config::read(keys)?;
        let installed = Installed::find(&pack, &packs)?;
        let default = installed.default_pack().name.clone();
        let runtime = Runtime::load()?;
        let mut shelf = Shelf::new(packs_open, move |name| {
            let pack = installed.pack(name).ok_or_else(|| {
                let names = installed.packs().iter().map(|pack| pack.name.as_str()).collect::<Vec<_>>().join(", ");
                eyre!("there is no pack {name} here; there are {names}")
            })?;
            T::open(&runtime, pack, &options)
        });
        let provider = shelf.open_now(&default)?.provider();
        node.notice(Level::Info, &format!("pack {default} on {provider}"));
        Ok(Self { default, shelf, book: Book::default(), told: BTreeSet::new() })
    }

    /// Takes settings in, and begins to open the packs that they name.
    pub fn settings(&mut self, node: &mut Node, settings: Settings) {
        // What has come makes room, or needs none.
        self.gather(node);
        // It is asked again every second until all stages have answered.
        self.told.remove(&settings.next_pack);
        self.book.write(settings);
        let pages = || self.book.pages().flat_map(|page| [page.pack.as_str(), page.next_pack.as_str()]);
        let wanted: BTreeSet<&str> = pages().filter(|pack| !pack.is_empty()).collect();
        self.shelf.forgive(&wanted);
        for pack in &wanted {
            self.shelf.want(pack, &wanted);
        }
    }

    /// Looks what has been opened, and tells `control`. Costs nothing when there is nothing: call it with every message.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn tend(&mut self, node: &mut Node) -> Result<()> {
        self.gather(node);
        self.report(node)
    }

    /// Looks what has been opened.
    fn gather(&mut self, node: &mut Node) {
        for (pack, outcome) in self.shelf.arrived() {
            match outcome {
                Ok(()) => {
                    let provider = self.shelf.get(&pack).map(|part| part.provider().to_string());
                    tracing::info!("pack {pack} on {}", provider.unwrap_or_default());
                }
                // Where `control` is told, it tells people.
                Err(fault) if node.declares(READINESS) => tracing::warn!("pack {pack}: {fault}"),
                Err(fault) => node.notice(Level::Warning, &format!("pack {pack}: {fault}")),
            }
        }
    }

    /// Tells `control` of packs that it has asked for.
    ///
    /// # Errors
    /// dora cannot send.
    pub fn report(&mut self, node: &mut Node) -> Result<()> {
        for page in self.book.pages() {
            let pack = &page.next_pack;
            let fault = self.shelf.fault(pack).map(str::to_owned);
            let decided = fault.is_some() || self.shelf.is_open(pack);
            if decided && !self.told.contains(pack) && node.declares(READINESS) {
                node.send(READINESS, Readiness { pack: pack.clone(), fault })?;
                self.told.insert(pack.clone());
            }
        }
        Ok(())
    }

    /// The settings of a stream, and the part of the pack that it is to be painted with. `None`: it is not open, which is
    /// so only for a moment after this node has been started again.
    pub fn of(&mut self, stream: &str) -> Option<(&Settings, &mut T)> {
        let settings = self.book.of(stream);
        let pack = if settings.pack.is_empty() { &self.default } else { &settings.pack };
        self.shelf.get(pack).map(|part| (settings, part))
    }

    /// The part of a pack, and the settings that the stream has, or last had, with that pack: a picture that was under way
    /// when the stream came to another pack is finished as it was begun. `None`: as for [`of`](Self::of).
    pub fn of_pack(&mut self, stream: &str, pack: &str) -> Option<(&Settings, &mut T)> {
        let settings = self.book.of_pack(stream, pack)?;
        self.shelf.get(pack).map(|part| (settings, part))
    }

    /// The part of a pack, if it is open; no name is the default pack's.
    pub fn part(&mut self, pack: &str) -> Option<&mut T> {
        self.shelf.get(if pack.is_empty() { &self.default } else { pack })
    }

    /// Whether that pack is open or about to be.
    #[must_use]
    pub fn holds(&self, pack: &str) -> bool {
        self.shelf.holds(pack)
    }
}
