//! Loads scripts: from text, and from files.

use super::parse::ParseErrors;
use super::units::MIB;
use super::Script;
use crate::text::error::{Error, ErrorKind};
use crate::text::escape::for_terminal;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The maximum size of a script in bytes. A capture of some hours fits; a device such as `/dev/zero` never ends.
const MAX_SCRIPT: u64 = 512 * MIB;

impl Script {
    /// Compiles the text of a script, which answers `GET path` unless it contains `@on`. The path begins with `/` and is
    /// not percent-encoded.
    ///
    /// ```
    /// use rust_sse_server::{ErrorKind, Script};
    ///
    /// let script = Script::parse("/chat", "@pace 40ms\ndata: Hello\n\ndata: world\n\n")?;
    /// assert_eq!(script.route(), "/chat");
    ///
    /// let error = Script::parse("/chat", "data: 1\n\n@slep 1s\n").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidScript);
    /// assert_eq!(error.to_string(), "/chat:3: unknown direction `@slep` (did you mean `@sleep`?)");
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidScript`]. The message lists all errors in the order of their lines, `path:LINE: message`.
    pub fn parse(path: &str, text: impl AsRef<[u8]>) -> Result<Script, Error> {
        Script::compile(path, path, text.as_ref()).map_err(invalid_script)
    }

    /// Compiles several scripts in one text, each of which but the first begins with a line `@script NAME` and answers
    /// `GET /NAME` unless it contains `@on`. The lines above the first of them are a script as for [`Script::parse`],
    /// unless they are only remarks.
    ///
    /// ```
    /// use rust_sse_server::Script;
    ///
    /// let scripts = Script::parse_all("/", "@script chat\ndata: hello\n\n@script health\n@status 204\n")?;
    /// assert_eq!(scripts.iter().map(Script::route).collect::<Vec<_>>(), ["/chat", "/health"]);
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidScript`]. The message lists all errors in the order of their lines, `path:LINE: message`.
    pub fn parse_all(path: &str, text: impl AsRef<[u8]>) -> Result<Vec<Script>, Error> {
        Script::compile_all(path, path, text.as_ref()).map_err(invalid_script)
    }

    /// Loads a script from a file, which answers `GET /NAME` unless it contains `@on`: NAME is the name of the file
    /// without `.sse`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidScript`] as for [`Script::parse`]; [`ErrorKind::InvalidArgument`] for a file without a name;
    /// [`ErrorKind::Io`] when the file cannot be read.
    pub fn load(file: impl AsRef<Path>) -> Result<Script, Error> {
        let file = file.as_ref();
        let (name, path) = names_of_file(file)?;
        Script::compile(&name, &path, read_file(file, &name)?).map_err(invalid_script)
    }

    /// Loads all scripts from a file: several as for [`Script::parse_all`], or one as for [`Script::load`].
    ///
    /// # Errors
    /// As for [`Script::load`].
    pub fn load_all(file: impl AsRef<Path>) -> Result<Vec<Script>, Error> {
        let file = file.as_ref();
        let (name, path) = names_of_file(file)?;
        Script::compile_all(&name, &path, read_file(file, &name)?).map_err(invalid_script)
    }

    /// Compiles the text of a file.
    ///
    /// # Errors
    /// As for [`Script::load`].
    pub(crate) fn all_from_file(file: &Path, text: Vec<u8>) -> Result<Vec<Script>, Error> {
        let (name, path) = names_of_file(file)?;
        Script::compile_all(&name, &path, text).map_err(invalid_script)
    }
}

/// The files `NAME.sse` of a folder in the order of their names, without those in its subfolders. Names that begin with
/// a dot belong to editors and systems (`.#chat.sse`, `._chat.sse`).
///
/// # Errors
/// The folder cannot be read.
pub fn files_in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
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

fn invalid_script(errors: ParseErrors) -> Error {
    Error::new(ErrorKind::InvalidScript, errors.to_string())
}

/// Reads the text of a file, which messages call `name`.
fn read_file(file: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let text = File::open(file).and_then(read_script);
    text.map_err(|error| Error::io(format_args!("cannot read {name}"), error))
}

/// Reads the text of a script to its end.
///
/// # Errors
/// It cannot be read, or is larger than 512 MiB.
pub fn read_script(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(MAX_SCRIPT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_SCRIPT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a script has at most 512 MiB"));
    }
    Ok(text)
}

/// The name of a file in messages, and the path of the script in it.
fn names_of_file(file: &Path) -> Result<(String, String), Error> {
    let name = for_terminal(&file.to_string_lossy());
    match path_of_file(file) {
        Some(path) => Ok((name, path)),
        None => {
            let message = format!("cannot derive a URL path from `{name}` (name the file NAME.sse)");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}

/// The path of the script in a file: its name without `.sse`; `None` when there is no such name.
fn path_of_file(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    let stem = name.strip_suffix(".sse").unwrap_or(&name);
    (!stem.is_empty()).then(|| format!("/{stem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_served_at_its_name_without_sse() {
        let path = |file: &str| path_of_file(Path::new(file));
        assert_eq!(path("dir/chat.sse").as_deref(), Some("/chat"));
        assert_eq!(path("a.b.sse").as_deref(), Some("/a.b"));
        assert_eq!(path("capture.txt").as_deref(), Some("/capture.txt"));
        assert_eq!(path(".sse"), None);
        assert_eq!(path("/"), None);
    }
}
