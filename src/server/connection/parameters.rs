//! Changes a script for one response as the query of the request specifies (`?-drop=512`), if clients may control the
//! server.

use super::Connection;
use crate::http::request::Request;
use crate::script::catalogue::{Catalogue, Found};
use crate::script::parse::replacement;
use crate::script::Script;

impl Connection<'_> {
    /// The script that answers the request. Parameters that change it are no part of its query.
    pub(super) fn find<'a>(&self, catalogue: &'a Catalogue, request: &Request) -> Found<'a> {
        let query = request.query();
        if !self.shared.control {
            return catalogue.find(request.method(), request.path(), query);
        }
        let query = query.and_then(replacement::other_parameters);
        catalogue.find(request.method(), request.path(), query.as_deref())
    }

    /// The script as the query of the request changes it; `None` if it does not.
    ///
    /// # Errors
    /// A message about an invalid parameter.
    pub(super) fn changed_script(
        &self,
        script: &Script,
        request: &Request,
    ) -> Result<Option<Box<Script>>, String> {
        match request.query() {
            Some(query) if self.shared.control => change(script, query),
            _ => Ok(None),
        }
    }
}

/// Not inlined, so that requests without parameters do not need its stack.
#[inline(never)]
fn change(script: &Script, query: &[u8]) -> Result<Option<Box<Script>>, String> {
    let replacements = replacement::in_query(query)?;
    if replacements.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(script.replacing(&replacements)?)))
}
