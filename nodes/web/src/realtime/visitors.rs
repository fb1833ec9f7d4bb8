//! Who is connected, by the number that their page has made up.

use crate::streams::Owner;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use uuid::Uuid;

/// A visitor: its stream, and how many look at it.
pub struct Visitor {
    /// The stream.
    pub owner: Owner,
    /// How many look at its pictures. Nobody is asked for pictures that nobody looks at.
    pub lookers: watch::Sender<usize>,
}

/// All visitors.
#[derive(Default)]
pub struct Visitors {
    all: Mutex<HashMap<Uuid, Arc<Visitor>>>,
}

/// There is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// A visitor's place. Dropped, it is free.
pub struct Place {
    visitors: Arc<Visitors>,
    id: Uuid,
    /// The visitor.
    pub visitor: Arc<Visitor>,
}

/// Somebody who looks. Dropped, nobody does.
pub struct Looker(Arc<Visitor>);

impl Visitors {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Visitor>>> {
        // A thread that panicked has left nothing half done here.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether one more than those that are there is too many; 0: never. One who comes back has its place.
    #[must_use]
    pub fn is_full(&self, id: Uuid, most: usize) -> bool {
        let all = self.lock();
        most > 0 && all.len() >= most && !all.contains_key(&id)
    }

    /// Lets a visitor in. One of the same number before it has lost its stream already.
    ///
    /// # Errors
    /// All places were taken in the meantime.
    pub fn enter(self: &Arc<Self>, id: Uuid, owner: Owner, most: usize) -> Result<Place, Full> {
        let visitor = Arc::new(Visitor { owner, lookers: watch::Sender::new(0) });
        let mut all = self.lock();
        if most > 0 && all.len() >= most && !all.contains_key(&id) {
            return Err(Full);
        }
        all.insert(id, visitor.clone());
        drop(all);
        Ok(Place { visitors: self.clone(), id, visitor })
    }

    /// The visitor of that number.
    #[must_use]
    pub fn find(&self, id: Uuid) -> Option<Arc<Visitor>> {
        self.lock().get(&id).cloned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.visitors.lock();
        if all.get(&self.id).is_some_and(|visitor| Arc::ptr_eq(visitor, &self.visitor)) {
            all.remove(&self.id);
        }
    }
}

impl Looker {
    /// Looks from now on.
    #[must_use]
    pub fn at(visitor: Arc<Visitor>) -> Self {
        visitor.lookers.send_modify(|lookers| *lookers += 1);
        Self(visitor)
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.0.lookers.send_modify(|lookers| *lookers -= 1);
    }
}
