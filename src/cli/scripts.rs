//! Finds the files that `--script` names: a file, all scripts of a folder, or `-` for standard input.

use rust_sse_server::internals::{files_in_folder, for_terminal, read_script};
use std::io;
use std::path::{Path, PathBuf};

/// The files, with folders replaced by the scripts in them, in the order of their names.
///
/// # Errors
/// A folder cannot be read, or contains no script.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let name = for_terminal(&path.to_string_lossy());
            let found = files_in_folder(path).map_err(|error| format!("cannot read {name}: {error}"))?;
            if found.is_empty() {
                return Err(format!("the folder {name} contains no script (name the files NAME.sse)"));
            }
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Whether a file is standard input.
pub fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Reads standard input to its end.
///
/// # Errors
/// It cannot be read.
pub fn read_stdin() -> Result<Vec<u8>, String> {
    read_script(io::stdin()).map_err(|error| format!("cannot read stdin: {error}"))
}
