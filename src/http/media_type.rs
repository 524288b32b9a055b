//! The media types (RFC 9110, section 8.3.1) of files that browsers load, by file name extension.

/// The type of a file with an unknown extension.
const UNKNOWN: &str = "application/octet-stream";

/// A media type, and the file name extensions that have it, in lower case.
const TABLE: &[(&str, &[&str])] = &[
    ("text/html; charset=utf-8", &["html", "htm"]),
    ("text/css; charset=utf-8", &["css"]),
    ("text/javascript; charset=utf-8", &["js", "mjs", "cjs"]),
    ("application/json", &["json", "map"]),
    ("application/manifest+json", &["webmanifest"]),
    ("application/wasm", &["wasm"]),
    ("application/xhtml+xml", &["xhtml"]),
    ("application/xml", &["xml"]),
    ("application/pdf", &["pdf"]),
    ("text/plain; charset=utf-8", &["txt", "md", "log"]),
    ("text/csv; charset=utf-8", &["csv"]),
    ("text/vtt; charset=utf-8", &["vtt"]),
    ("image/svg+xml", &["svg"]),
    ("image/png", &["png"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
    ("image/avif", &["avif"]),
    ("image/bmp", &["bmp"]),
    ("image/vnd.microsoft.icon", &["ico"]),
    ("font/woff2", &["woff2"]),
    ("font/woff", &["woff"]),
    ("font/ttf", &["ttf"]),
    ("font/otf", &["otf"]),
    ("audio/mpeg", &["mp3"]),
    ("audio/wav", &["wav"]),
    ("audio/ogg", &["ogg"]),
    ("video/mp4", &["mp4"]),
    ("video/webm", &["webm"]),
];

/// The media type of the file with this name.
pub fn of_file(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    let row = TABLE.iter().find(|(_, ends)| ends.contains(&end.as_str()));
    row.map_or(UNKNOWN, |(media_type, _)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_in_any_case() {
        assert_eq!(of_file("a.b.HTML"), "text/html; charset=utf-8");
        assert_eq!(of_file("app.mjs"), "text/javascript; charset=utf-8");
        for unknown in ["html", "a.", "a.exe", ""] {
            assert_eq!(of_file(unknown), UNKNOWN, "{unknown}");
        }
    }

    #[test]
    fn every_extension_has_one_type() {
        for (media_type, ends) in TABLE {
            for end in *ends {
                assert_eq!(of_file(&format!("x.{end}")), *media_type);
            }
        }
    }
}
