//! The scripts of a running server, which can change.

mod files;

use super::warning::Warnings;
use crate::script::catalogue::Catalogue;
use crate::script::Script;
use crate::text::error::{Error, ErrorKind};
use files::{Changes, ScriptFiles};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The prefix of the server's own paths, which scripts cannot have.
const RESERVED: &[u8] = b"/-/";

/// Whether a path begins with `/-/`.
pub(super) fn is_reserved(path: &[u8]) -> bool {
    path.starts_with(RESERVED)
}

/// The scripts of a running server.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    catalogue: RwLock<Arc<Catalogue>>,
    files: RwLock<ScriptFiles>,
}

impl Scripts {
    /// The scripts that a server starts with: these, and those in the files and folders that it watches.
    ///
    /// # Errors
    /// A script cannot be read or has errors, or the scripts cannot be served together.
    pub fn new(mut catalogue: Catalogue, watched: Vec<PathBuf>) -> Result<Scripts, Error> {
        let mut files = ScriptFiles::new(watched)?;
        let loaded: Vec<_> = catalogue.own().cloned().collect();
        let Changes { errors, .. } = files.load_changed(&loaded);
        if !errors.is_empty() {
            return Err(Error::new(ErrorKind::InvalidScript, errors.join("\n")));
        }
        catalogue.set_watched(files.scripts());
        check(&catalogue)?;
        Ok(Scripts { catalogue: RwLock::new(Arc::new(catalogue)), files: RwLock::new(files) })
    }

    /// The scripts as they are now. A response continues with the scripts that it began with.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&read(&self.catalogue))
    }

    /// Loads the scripts whose files have changed, and prints what is wrong with them. One with errors stays as it was. Returns
    /// the names of those that were loaded.
    pub fn load_changed(&self, warnings: &Warnings) -> Vec<String> {
        if read(&self.files).are_current() {
            return Vec::new();
        }
        // Locked until the scripts are in use, so that older ones cannot replace newer ones. A thread that has waited for
        // the lock finds nothing changed.
        let mut files = write(&self.files);
        let changes = files.load_changed(&[]);
        let mut lines = [changes.warnings, changes.errors].concat();
        let notice = |name: &String| format!("rust_sse_server: {name} has errors and was not loaded again");
        lines.extend(changes.invalid.iter().map(notice));
        if changes.scripts_differ {
            let changed = self.change(|catalogue| catalogue.set_watched(files.scripts()));
            lines.extend(changed.err().map(|error| format!("rust_sse_server: {error}")));
            let catalogue = self.current();
            let loaded = catalogue.own().filter(|script| changes.loaded.contains(&script.file));
            lines.extend(loaded.flat_map(|script| catalogue.warnings_about(script)));
        }
        if !lines.is_empty() {
            warnings.print(lines);
        }
        changes.loaded
    }

    /// Replaces the script with the same name, or adds the script.
    ///
    /// # Errors
    /// The scripts could no longer be served together. Nothing is changed then.
    pub fn set(&self, script: Script) -> Result<(), Error> {
        self.change(|catalogue| catalogue.set(script))
    }

    /// Warnings that the script with this name reads the count of another one that does not exist.
    pub fn warnings_about(&self, name: &str) -> Vec<String> {
        let catalogue = self.current();
        let named = catalogue.own().filter(|script| script.name == name);
        named.flat_map(|script| catalogue.warnings_about(script)).collect()
    }

    /// Removes the script with this name. `false` if there is none.
    pub fn remove(&self, name: &str) -> bool {
        let mut exists = false;
        // Removing a script causes no conflict, and a built-in script that is no longer replaced did not conflict
        // before.
        let _ = self.change(|catalogue| exists = catalogue.remove(name));
        exists
    }

    /// Brings back the scripts as they were after the start, and lets them count requests from 1 again.
    pub fn reset(&self) {
        // The files may have changed so that they cannot be served together; that was reported when they were loaded.
        let _ = self.change(Catalogue::reset);
    }

    /// Changes the scripts.
    ///
    /// # Errors
    /// The scripts could no longer be served together. Nothing is changed then.
    fn change(&self, change: impl FnOnce(&mut Catalogue)) -> Result<(), Error> {
        let mut catalogue = write(&self.catalogue);
        let mut changed = Catalogue::clone(&catalogue);
        change(&mut changed);
        check(&changed)?;
        *catalogue = Arc::new(changed);
        Ok(())
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Checks that the scripts can be served together.
///
/// # Errors
/// Two that were added answer the same request, or one has a path that begins with `/-/`.
pub(super) fn check(catalogue: &Catalogue) -> Result<(), Error> {
    catalogue.check().map_err(|message| Error::new(ErrorKind::DuplicateRoute, message))?;
    if let Some(script) = catalogue.scripts().find(|script| is_reserved(script.route.path.text())) {
        let (file, route) = (&script.file, &script.route);
        let message = format!("{file}: paths such as `{route}` that begin with /-/ are reserved");
        return Err(Error::new(ErrorKind::DuplicateRoute, message));
    }
    Ok(())
}
