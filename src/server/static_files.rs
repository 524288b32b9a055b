//! Finds and sends the files of a folder, which are served beside the scripts (`--static`): so a page under test and its
//! stream have the same origin.
//!
//! Nothing outside the folder is served, and no directory listing.

use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::media_type;
use crate::http::response::{ResponseHead, ResponseOptions, StreamHead};
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::http::uri::percent_decode;
use crate::http::AfterResponse;
use crate::text::error::Error;
use crate::text::escape::for_terminal;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The file that is sent for a path that ends with a slash.
const INDEX: &str = "index.html";

/// A folder whose files are served.
#[derive(Debug)]
pub(crate) struct StaticFiles {
    /// Without symbolic links in its path.
    folder: PathBuf,
}

/// What is at a path.
pub(crate) enum FoundFile {
    File(StaticFile),
    /// A folder with an [`INDEX`], which is at this path with a slash at its end.
    Folder,
}

/// A file that is open.
pub(crate) struct StaticFile {
    file: File,
    length: u64,
    media_type: &'static str,
}

impl StaticFiles {
    /// The files of a folder.
    ///
    /// # Errors
    /// The folder does not exist or cannot be read.
    pub fn new(folder: &Path) -> Result<StaticFiles, Error> {
        let real = fs::canonicalize(folder).and_then(|real| fs::read_dir(&real).map(|_| real));
        let name = for_terminal(&folder.to_string_lossy());
        let error = |error| Error::io(format_args!("cannot serve the files of {name}"), error);
        Ok(StaticFiles { folder: real.map_err(error)? })
    }

    /// What is at the path of a request, which is percent-encoded.
    pub fn find(&self, path: &[u8]) -> Option<FoundFile> {
        // The path without symbolic links shows whether one of them leads out of the folder.
        let relative = relative(path)?;
        let path = fs::canonicalize(self.folder.join(&relative)).ok()?;
        if !path.starts_with(&self.folder) {
            return None;
        }
        let metadata = fs::metadata(&path).ok()?;
        if metadata.is_dir() {
            return path.join(INDEX).is_file().then_some(FoundFile::Folder);
        }
        // Opening anything else, such as a named pipe, could block.
        if !metadata.is_file() {
            return None;
        }
        let media_type = media_type::of_file(&relative.to_string_lossy());
        let file = File::open(&path).ok()?;
        Some(FoundFile::File(StaticFile { file, length: metadata.len(), media_type }))
    }
}

/// The path of a file below the folder, for the path of a request.
fn relative(path: &[u8]) -> Option<PathBuf> {
    let mut segments: Vec<&[u8]> = path.strip_prefix(b"/")?.split(|&byte| byte == b'/').collect();
    if let Some(last) = segments.last_mut().filter(|last| last.is_empty()) {
        *last = INDEX.as_bytes();
    }
    segments.into_iter().map(file_name).collect()
}

/// The name of a file or a folder, for a segment of a path. `None` for what leads elsewhere: `..`, and whatever separates
/// folders or names a drive on some system. Names that begin with a dot are not served either: a folder of files is often
/// also a working folder, with `.git` and `.env` in it.
fn file_name(segment: &[u8]) -> Option<String> {
    let name = String::from_utf8(percent_decode(segment).into_owned()).ok()?;
    let leads_elsewhere =
        name.is_empty() || name.starts_with('.') || name.contains(&['/', '\\', ':', '\0'][..]);
    (!leads_elsewhere).then_some(name)
}

impl StaticFile {
    /// The head of the response. Browsers keep the file, but request it again each time: it may have changed.
    pub fn head(&self, options: ResponseOptions) -> StreamHead {
        let framing = Framing::Length(self.length);
        let mut head = ResponseHead::new(Status::OK, b"OK");
        head.framing(framing);
        head.field("cache-control", b"no-cache");
        head.field("content-type", self.media_type.as_bytes());
        head.date();
        head.connection(options.close);
        StreamHead { bytes: head.finish(), framing, close: options.close }
    }

    /// Sends the file piece by piece, so that it is never in memory as a whole.
    ///
    /// # Errors
    /// The client has left, or the file cannot be read.
    #[inline(never)]
    pub fn send(self, head: Vec<u8>, mut body: ChunkedWriter<impl Write>) -> io::Result<AfterResponse> {
        body.write_head(head)?;
        let sent = io::copy(&mut self.file.take(self.length), &mut body)?;
        body.finish(b"")?;
        // The head has announced more if the file became shorter meanwhile.
        Ok(if sent == self.length { AfterResponse::KeepAlive } else { AfterResponse::Close })
    }
}

/// The response to a request for a folder without a slash at the end of its path. With it, relative links in the page lead
/// into the folder. The redirect is temporary, because a browser would remember a permanent one beyond the test.
pub(super) fn redirect_to_folder(path: &[u8], query: Option<&[u8]>) -> Response {
    let query = query.map_or(Vec::new(), |query| [b"?", query].concat());
    let location = [path, b"/", &query].concat();
    let text = "307 Temporary Redirect: this is a folder (add a slash to the path)\n";
    Response::new(Status::TEMPORARY_REDIRECT, text).field("location", location)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Component;

    #[test]
    fn a_path_made_of_pieces_that_lead_elsewhere_stays_below_the_folder() {
        const PIECES: [&str; 16] = [
            "/", "%2f", "\\", "%5C", ".", "..", "%2e", "%2E%2e", "a", "a.b", "C:", "%00", "%", "%zz", " ",
            "%c3%a4",
        ];
        let mut number: u64 = 1;
        for _ in 0..100_000 {
            // Xorshift, by Marsaglia.
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            let pieces = (0..8).map(|place| PIECES[(number >> (8 * place)) as usize % PIECES.len()]);
            let path = format!("/{}", pieces.collect::<String>());
            let mut names = relative(path.as_bytes()).into_iter().flat_map(|path| {
                path.components().map(|part| matches!(part, Component::Normal(_))).collect::<Vec<_>>()
            });
            assert!(names.all(|is_name| is_name), "{path}");
        }
        assert_eq!(relative(b"/a/"), Some(PathBuf::from("a/index.html")));
        assert_eq!(relative(b"/a/b%20c"), Some(PathBuf::from("a/b c")));
    }
}
