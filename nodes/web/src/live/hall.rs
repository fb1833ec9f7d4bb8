//! Who is connected, and the settings that a client begins with. Its own server has one set of settings for all: here each
//! client has its own, and what is put by HTTP is put for those that are connected and for all that will be.

use crate::site::Site;
use crate::streams::{ChangeError, Owner};
use mirror_contract::Settings;
use mirror_models::Processor;
use mirror_protocols::Changes;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// All clients.
pub struct Hall {
    /// What all listeners share.
    pub site: Arc<Site>,
    /// Since when it is open.
    pub opened: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    base: Changes,
    clients: Vec<Weak<Owner>>,
}

impl Hall {
    /// An empty one.
    #[must_use]
    pub fn of(site: Arc<Site>) -> Self {
        // A visitor who has typed nothing yet sees something painted.
        let prompt = site.config.looks.first().map(|look| ("prompt".to_owned(), look.as_str().into()));
        let inner = Inner { base: prompt.into_iter().collect(), clients: Vec::new() };
        Self { site, opened: Instant::now(), inner: Mutex::new(inner) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // A thread that panicked has left nothing half done here.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a client in: it begins with the settings that were put.
    ///
    /// # Errors
    /// They are none any more: a processor that is gone.
    pub fn enter(&self, owner: &Arc<Owner>) -> Result<(), ChangeError> {
        let mut inner = self.lock();
        inner.clients.retain(|client| client.strong_count() > 0);
        inner.clients.push(Arc::downgrade(owner));
        let base = inner.base.clone();
        drop(inner);
        owner.change(base).map(drop)
    }

    /// How many clients are connected.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().clients.iter().filter(|client| client.strong_count() > 0).count()
    }

    /// Puts settings for all.
    ///
    /// # Errors
    /// A value that the mirror does not allow: nothing has changed.
    pub fn put(&self, changes: &Changes) -> Result<(), String> {
        // A trial: what one stream may have, all may have.
        crate::check::values(changes, &self.site.config.processors)
            .map_err(|faults| faults.iter().map(|fault| fault.error.as_str()).collect::<Vec<_>>().join("; "))?;
        let mut inner = self.lock();
        inner.base.extend(changes.clone());
        let clients: Vec<_> = inner.clients.iter().filter_map(Weak::upgrade).collect();
        drop(inner);
        for client in clients {
            // One whose stream has just ended has no use for it.
            let _ = client.change(changes.clone());
        }
        Ok(())
    }

    /// The settings that a client begins with: those of the house, and what was put.
    #[must_use]
    pub fn base(&self) -> Settings {
        let mut settings = Settings::clone(&self.site.streams.settings(""));
        for (name, value) in &self.lock().base {
            // They were checked when they were put.
            let _ = settings.set(name, value);
        }
        settings
    }

    /// The processor that a client begins with, if it is installed.
    #[must_use]
    pub fn current(&self) -> Option<&Processor> {
        let name = self.base().processor;
        self.site.config.installed.iter().find(|processor| processor.name == name)
    }
}
