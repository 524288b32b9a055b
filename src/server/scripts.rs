//! The scripts of a running server, which can change.

use crate::script::catalogue::Catalogue;
use crate::text::error::{Error, ErrorKind};
use std::sync::{Arc, PoisonError, RwLock};

/// What the paths begin with that scripts cannot have: they are the server's.
const RESERVED: &[u8] = b"/-/";

/// Whether a path begins with `/-/`.
pub(super) fn is_reserved(path: &[u8]) -> bool {
    path.starts_with(RESERVED)
}

/// The scripts of a running server.
#[derive(Debug, Default)]
pub(crate) struct Scripts(RwLock<Arc<Catalogue>>);

impl Scripts {
    /// The scripts that it starts with.
    pub fn new(catalogue: Catalogue) -> Scripts {
        Scripts(RwLock::new(Arc::new(catalogue)))
    }

    /// The scripts as they are now. A response goes on with them when they are changed.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Checks that the scripts can be served together.
///
/// # Errors
/// Two that were added answer the same request, or one has a path that begins with `/-/`.
pub(super) fn check(catalogue: &Catalogue) -> Result<(), Error> {
    catalogue.check().map_err(|message| Error::new(ErrorKind::DuplicateRoute, message))?;
    if let Some(script) = catalogue.scripts().find(|script| is_reserved(&script.route.path)) {
        let (file, route) = (&script.file, &script.route);
        let message = format!("{file}: paths such as `{route}` that begin with /-/ are the server's");
        return Err(Error::new(ErrorKind::DuplicateRoute, message));
    }
    Ok(())
}
