//! Notices that files of scripts have changed (`--script`), and loads them again. This happens on the thread of a
//! client that has sent a request, before the request is answered.

use crate::script::load::{files_in_folder, read_script};
use crate::script::Script;
use crate::text::error::Error;
use crate::text::escape::for_terminal;
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Two changes within this time can leave a file with the same modification time, because file systems round it, some
/// to two seconds. So a file that has changed is read at every request until this time has passed.
const TIME_RESOLUTION: Duration = Duration::from_secs(2);

/// What shows that a file has changed, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    length: u64,
}

impl Stamp {
    /// `None` for what is not a file, or is not there. A pipe cannot be read a second time.
    fn of(file: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(file).ok().filter(|metadata| metadata.is_file())?;
        Some(Stamp { modified: metadata.modified().ok()?, length: metadata.len() })
    }

    /// Whether every later change leaves another stamp. (A time in the future comes from another clock.)
    fn is_reliable(&self) -> bool {
        self.modified.elapsed().map_or(false, |age| age > TIME_RESOLUTION)
    }
}

/// A file with a script.
#[derive(Debug)]
struct ScriptFile {
    path: PathBuf,
    /// `None` if the file has to be read at the next request.
    stamp: Option<Stamp>,
    /// Of what was read last.
    hash: Option<u64>,
    /// The last scripts without errors.
    scripts: Vec<Arc<Script>>,
}

/// Files and folders that are watched, and the files that were found there.
#[derive(Debug, Default)]
pub(super) struct ScriptFiles {
    paths: Vec<PathBuf>,
    files: Vec<ScriptFile>,
}

/// What has changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Whether the scripts have changed.
    pub scripts_differ: bool,
    /// The names of the scripts that were loaded.
    pub loaded: Vec<String>,
    /// Warnings about them.
    pub warnings: Vec<String>,
    /// The names of the scripts that have errors.
    pub invalid: Vec<String>,
    /// Their errors.
    pub errors: Vec<String>,
}

impl ScriptFiles {
    /// Files and folders that are to be loaded.
    ///
    /// # Errors
    /// One of them does not exist.
    pub fn new(paths: Vec<PathBuf>) -> Result<ScriptFiles, Error> {
        for path in &paths {
            let name = for_terminal(&path.to_string_lossy());
            fs::metadata(path).map_err(|error| Error::io(format_args!("cannot read {name}"), error))?;
        }
        Ok(ScriptFiles { paths, files: Vec::new() })
    }

    /// The last scripts without errors.
    pub fn scripts(&self) -> Vec<Arc<Script>> {
        self.files.iter().flat_map(|file| &file.scripts).cloned().collect()
    }

    /// Whether nothing has changed. Reads no file.
    pub fn are_current(&self) -> bool {
        let found = self.find();
        let is_current = |(file, (path, stamp)): (&ScriptFile, &(PathBuf, Option<Stamp>))| {
            file.path == *path && (stamp.is_none() || file.stamp == *stamp)
        };
        found.len() == self.files.len() && self.files.iter().zip(&found).all(is_current)
    }

    /// Loads what has changed. The script of a named file that is gone stays; that of a file in a folder does not. A script
    /// that was loaded from the same text before is not compiled again.
    pub fn load_changed(&mut self, loaded: &[Arc<Script>]) -> Changes {
        let mut changes = Changes::default();
        let mut before = mem::take(&mut self.files);
        for (path, stamp) in self.find() {
            let mut file = match before.iter().position(|file| file.path == path) {
                Some(at) => before.swap_remove(at),
                None => ScriptFile { path, stamp: None, hash: None, scripts: Vec::new() },
            };
            if let Some(stamp) = stamp.filter(|stamp| file.stamp != Some(*stamp)) {
                file.load(stamp, loaded, &mut changes);
            }
            self.files.push(file);
        }
        changes.scripts_differ |= before.iter().any(|file| !file.scripts.is_empty());
        changes
    }

    /// The files that are there now.
    fn find(&self) -> Vec<(PathBuf, Option<Stamp>)> {
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                files.extend(files_in_folder(path).unwrap_or_default());
            } else {
                files.push(path.clone());
            }
        }
        let stamped = |path: PathBuf| {
            let stamp = Stamp::of(&path);
            (path, stamp)
        };
        files.into_iter().map(stamped).collect()
    }
}

impl ScriptFile {
    /// Loads the script, if it differs. The stamp is from before the file is read, so that a change meanwhile shows later.
    fn load(&mut self, stamp: Stamp, loaded: &[Arc<Script>], changes: &mut Changes) {
        let name = for_terminal(&self.path.to_string_lossy());
        let is_loaded = |script: &&Arc<Script>| script.file == name && contains(&self.path, script.text());
        match loaded.iter().find(is_loaded) {
            Some(script) => {
                self.stamp = Some(stamp).filter(Stamp::is_reliable);
                self.hash = Some(hash(&Ok::<_, String>(script.text())));
                self.scripts = vec![Arc::clone(script)];
                changes.scripts_differ = true;
            }
            None => self.read(name, stamp, changes),
        }
    }

    /// Reads the file, and compiles it if its text has changed.
    fn read(&mut self, name: String, stamp: Stamp, changes: &mut Changes) {
        let text = File::open(&self.path).and_then(read_script);
        let text = text.map_err(|error| format!("cannot read {name}: {error}"));
        // Many programs empty a file before they write it, so a script that is empty now will have a text soon.
        if matches!(&text, Ok(text) if text.is_empty()) && !self.scripts.is_empty() {
            return;
        }
        self.stamp = Some(stamp).filter(|stamp| text.is_ok() && stamp.is_reliable());
        let hash = hash(&text);
        if self.hash.replace(hash) == Some(hash) {
            return;
        }
        let compile =
            |text: Vec<u8>| Script::all_from_file(&self.path, text).map_err(|error| error.to_string());
        match text.and_then(compile) {
            Ok(scripts) => {
                changes.scripts_differ = true;
                changes.loaded.push(name);
                changes.warnings.extend(scripts.iter().flat_map(Script::warnings).cloned());
                self.scripts = scripts.into_iter().map(Arc::new).collect();
            }
            Err(errors) => {
                changes.invalid.push(name);
                changes.errors.push(errors);
            }
        }
    }
}

/// Whether a file contains this text and nothing else. Reads it in pieces, because it can be large.
fn contains(file: &Path, mut text: &[u8]) -> bool {
    let mut file = match File::open(file) {
        Ok(file) => BufReader::with_capacity(64 * 1024, file),
        Err(_) => return false,
    };
    loop {
        let length = match file.fill_buf() {
            Ok([]) => return text.is_empty(),
            Ok(piece) if text.starts_with(piece) => piece.len(),
            _ => return false,
        };
        text = &text[length..];
        file.consume(length);
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
