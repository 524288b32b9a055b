//! Finds the files that `--script` names: a file, all scripts of a folder, or `-` for standard input.

use rust_sse_server::internals::{for_terminal, read_script};
use std::fs;
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
            let found = in_folder(path).map_err(|error| format!("cannot read {name}: {error}"))?;
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

/// The files `NAME.sse` of a folder, without those of the folders in it. Names that begin with a dot belong to editors and
/// systems (`.#chat.sse`, `._chat.sse`).
fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".sse") && !name.starts_with('.') && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
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
