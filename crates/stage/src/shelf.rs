//! The packs that are open.

use eyre::{Result, eyre};
use mirror_inference::cores;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Opens a part of the pack of that name; called in a thread of its own.
type Open<T> = dyn Fn(&str) -> Result<T> + Send + Sync;

/// Parts of a few packs, by the pack's name.
pub struct Shelf<T> {
    room: usize,
    open: Arc<Open<T>>,
    books: Vec<Book<T>>,
    loading: BTreeSet<String>,
    /// Why a pack could not be opened.
    faults: BTreeMap<String, String>,
    sender: Sender<(String, Result<T>)>,
    receiver: Receiver<(String, Result<T>)>,
    /// Rises with every use.
    clock: u64,
}

struct Book<T> {
    pack: String,
    part: T,
    used: u64,
}

impl<T: Send + 'static> Shelf<T> {
    /// An empty shelf with room for so many packs, at least one.
    pub fn new(room: usize, open: impl Fn(&str) -> Result<T> + Send + Sync + 'static) -> Self {
        let (sender, receiver) = channel();
        let (books, loading, faults) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Self { room: room.max(1), open: Arc::new(open), books, loading, faults, sender, receiver, clock: 0 }
    }

    /// Opens a pack here and now: the one that a node starts with.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open_now(&mut self, pack: &str) -> Result<&mut T> {
        let part = (self.open)(pack)?;
        self.put(pack, part);
        self.get(pack).ok_or_else(|| eyre!("the pack {pack} has just been opened and is gone"))
    }

    /// Begins to open a pack in a thread, unless it is open or under way, or could not be opened before. What is not in
    /// `kept` makes room, the one that was used longest ago first, before anything is loaded: memory never holds more packs
    /// than there is room for. While one is under way that nobody wants any longer, nothing happens: ask again.
    pub fn want(&mut self, pack: &str, kept: &BTreeSet<&str>) {
        let known = self.is_open(pack) || self.loading.contains(pack) || self.faults.contains_key(pack);
        if known {
            return;
        }
        while self.books.len() + self.loading.len() >= self.room {
            let idle = self.books.iter().enumerate().filter(|(_, book)| !kept.contains(book.pack.as_str()));
            let Some((oldest, _)) = idle.min_by_key(|(_, book)| book.used) else {
                if self.loading.iter().any(|pack| !kept.contains(pack.as_str())) {
                    return;
                }
                let names = self.books.iter().map(|book| &book.pack).chain(&self.loading);
                let names = names.map(String::as_str).collect::<Vec<_>>().join(", ");
                let fault =
                    format!("there is room for {} of them, and {names} are in use (MIRROR_PACKS_OPEN)", self.room);
                self.faults.insert(pack.to_owned(), fault);
                return;
            };
            self.books.remove(oldest);
        }
        self.loading.insert(pack.to_owned());
        let (open, sender, pack) = (Arc::clone(&self.open), self.sender.clone(), pack.to_owned());
        // Not waited for: a node that stops meanwhile ends the thread with the process.
        thread::spawn(move || {
            // The thread that runs the model may keep to a core; this one has the others to itself.
            cores::release();
            let part = open(&pack);
            // Nobody to tell it to: the shelf is gone.
            let _ = sender.send((pack, part));
        });
    }

    /// Puts on the shelf what has been opened since the last call: its names, and those that failed with the reason.
    pub fn arrived(&mut self) -> Vec<(String, Result<(), String>)> {
        let mut news = Vec::new();
        while let Ok((pack, part)) = self.receiver.try_recv() {
            self.loading.remove(&pack);
            match part {
                Ok(part) => {
                    self.put(&pack, part);
                    news.push((pack, Ok(())));
                }
                Err(error) => {
                    let fault = format!("{error:#}");
                    self.faults.insert(pack.clone(), fault.clone());
                    news.push((pack, Err(fault)));
                }
            }
        }
        news
    }

    fn put(&mut self, pack: &str, part: T) {
        self.clock += 1;
        self.books.push(Book { pack: pack.to_owned(), part, used: self.clock });
    }

    /// The part of that pack, if it is open.
    pub fn get(&mut self, pack: &str) -> Option<&mut T> {
        self.clock += 1;
        let book = self.books.iter_mut().find(|book| book.pack == pack)?;
        book.used = self.clock;
        Some(&mut book.part)
    }

    /// Whether that pack is open.
    #[must_use]
    pub fn is_open(&self, pack: &str) -> bool {
        self.books.iter().any(|book| book.pack == pack)
    }

    /// Whether that pack is open or about to be.
    #[must_use]
    pub fn holds(&self, pack: &str) -> bool {
        self.is_open(pack) || self.loading.contains(pack)
    }

    /// Why that pack could not be opened.
    #[must_use]
    pub fn fault(&self, pack: &str) -> Option<&str> {
        self.faults.get(pack).map(String::as_str)
    }

    /// Forgets why packs could not be opened, but for those: who wants one again later tries again.
    pub fn forgive(&mut self, but: &BTreeSet<&str>) {
        self.faults.retain(|pack, _| but.contains(pack.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    /// A pack's part: its name. `broken` cannot be opened.
    fn shelf(room: usize) -> Shelf<String> {
        Shelf::new(room, |pack| if pack == "broken" { Err(eyre!("it is broken")) } else { Ok(pack.to_owned()) })
    }

    fn arrival<T: Send + 'static>(shelf: &mut Shelf<T>) -> (String, Result<(), String>) {
        let begin = Instant::now();
        loop {
            if let Some(news) = shelf.arrived().pop() {
                return news;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "nothing came");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn kept<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
        names.iter().copied().collect()
    }

    #[test]
    fn a_pack_that_is_wanted_is_opened_meanwhile_and_then_there() {
        let mut shelf = shelf(2);
        assert_eq!(shelf.open_now("starter").expect("it opens"), "starter");
        shelf.want("sd15", &kept(&["starter", "sd15"]));
        assert!(shelf.holds("sd15") && shelf.get("sd15").is_none());
        assert_eq!(arrival(&mut shelf), ("sd15".to_owned(), Ok(())));
        assert_eq!(shelf.get("sd15").expect("it is open"), "sd15");
        assert!(shelf.is_open("starter"));
    }

    #[test]
    fn it_is_opened_once_however_often_it_is_wanted() {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let mut shelf = Shelf::new(2, |_| Ok(OPENED.fetch_add(1, Ordering::SeqCst)));
        for _ in 0..10 {
            shelf.want("sd15", &kept(&["sd15"]));
        }
        assert!(arrival(&mut shelf).1.is_ok());
        shelf.want("sd15", &kept(&["sd15"]));
        assert!(shelf.loading.is_empty());
        assert_eq!(OPENED.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_one_that_was_used_longest_ago_makes_room_but_never_one_that_is_kept() {
        let mut shelf = shelf(3);
        for pack in ["a", "b", "c"] {
            shelf.open_now(pack).expect("it opens");
        }
        assert!(shelf.get("a").is_some());
        shelf.want("d", &kept(&["b", "d"]));
        assert!(shelf.is_open("a") && shelf.is_open("b") && !shelf.is_open("c"));
        assert!(arrival(&mut shelf).1.is_ok());
        assert!(shelf.is_open("d"));
    }

    #[test]
    fn what_there_is_no_room_for_is_not_opened_and_the_reason_is_said() {
        let mut shelf = shelf(1);
        shelf.open_now("a").expect("it opens");
        shelf.want("b", &kept(&["a", "b"]));
        assert_eq!(shelf.fault("b"), Some("there is room for 1 of them, and a are in use (MIRROR_PACKS_OPEN)"));
        assert!(shelf.is_open("a") && !shelf.holds("b"));
        // Once nobody uses the first one, there is.
        shelf.forgive(&kept(&[]));
        shelf.want("b", &kept(&["b"]));
        assert_eq!(arrival(&mut shelf), ("b".to_owned(), Ok(())));
    }

    #[test]
    fn a_pack_that_is_under_way_in_vain_is_waited_for_and_then_makes_room() {
        let mut shelf = shelf(2);
        shelf.open_now("a").expect("it opens");
        shelf.want("b", &kept(&["a", "b"]));
        shelf.want("c", &kept(&["a", "c"]));
        assert!(!shelf.holds("c") && shelf.fault("c").is_none());
        assert!(arrival(&mut shelf).1.is_ok());
        shelf.want("c", &kept(&["a", "c"]));
        assert!(shelf.holds("c") && !shelf.is_open("b"));
    }

    #[test]
    fn a_pack_that_fails_is_not_tried_again_until_it_is_forgiven() {
        let mut shelf = shelf(2);
        shelf.want("broken", &kept(&["broken"]));
        assert_eq!(arrival(&mut shelf), ("broken".to_owned(), Err("it is broken".to_owned())));
        shelf.want("broken", &kept(&["broken"]));
        assert!(!shelf.holds("broken") && shelf.fault("broken") == Some("it is broken"));
        shelf.forgive(&kept(&["broken"]));
        assert!(shelf.fault("broken").is_some());
        shelf.forgive(&kept(&["starter"]));
        shelf.want("broken", &kept(&["broken"]));
        assert!(shelf.holds("broken"));
    }
}
