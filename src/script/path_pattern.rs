//! The path of `@on`, in which `*` stands for one segment: `/v1/models/*/stream`.

use crate::http::uri::{percent_decode, percent_encode};
use crate::text::escape::escape;
use std::fmt;

/// A path, or all paths with any text in some of their segments.
#[derive(Debug, PartialEq, Eq)]
pub struct PathPattern {
    /// The path, decoded.
    text: Vec<u8>,
    /// Its segments if there is a `*` among them.
    segments: Option<Vec<Segment>>,
}

/// A segment, decoded; `None` for `*`.
type Segment = Option<Vec<u8>>;

impl PathPattern {
    /// This path alone, which is not percent-encoded.
    pub fn of_path(path: &str) -> PathPattern {
        PathPattern { text: path.as_bytes().to_vec(), segments: None }
    }

    /// Parses a path that is percent-encoded.
    ///
    /// # Errors
    /// A message about a segment that looks like another kind of pattern.
    pub(super) fn parse(path: &[u8]) -> Result<PathPattern, String> {
        let segments = || path.split(|&byte| byte == b'/');
        if let Some(segment) = segments().find(|segment| looks_like_pattern(segment)) {
            return Err(pattern(segment));
        }
        let has_star = segments().any(|segment| segment == b"*");
        let segment = |segment: &[u8]| (segment != b"*").then(|| percent_decode(segment).into_owned());
        Ok(PathPattern {
            text: percent_decode(path).into_owned(),
            segments: has_star.then(|| segments().map(segment).collect()),
        })
    }

    /// The path as it is written, decoded.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// How many segments can be any text. A pattern with fewer is more specific.
    pub fn stars(&self) -> usize {
        let segments = self.segments.iter().flatten();
        segments.filter(|segment| segment.is_none()).count()
    }

    /// Whether it is the path of a request, which is percent-encoded. A `*` matches neither an empty segment nor the
    /// `-` of paths under `/-/`, which belong to the server.
    pub fn matches(&self, path: &[u8]) -> bool {
        let segments = match &self.segments {
            None => return self.text == *percent_decode(path),
            Some(segments) => segments,
        };
        let texts = || path.split(|&byte| byte == b'/');
        let is_same = |(at, (segment, text)): (usize, (&Segment, &[u8]))| match segment {
            Some(segment) => *segment == *percent_decode(text),
            None => !text.is_empty() && (at != 1 || *percent_decode(text) != *b"-"),
        };
        segments.len() == texts().count() && segments.iter().zip(texts()).enumerate().all(is_same)
    }

    /// Whether it matches every path that the other one matches.
    pub fn covers(&self, other: &PathPattern) -> bool {
        if self.segments.is_none() {
            return *self == *other;
        }
        let covers = |(mine, theirs): (&Segment, &Segment)| mine.is_none() || mine == theirs;
        let (mine, theirs) = (self.to_segments(), other.to_segments());
        mine.len() == theirs.len() && mine.iter().zip(&theirs).all(covers)
    }

    /// Whether some path matches both, and neither is more specific.
    pub fn is_ambiguous_with(&self, other: &PathPattern) -> bool {
        let agree =
            |(mine, theirs): (&Segment, &Segment)| mine.is_none() || theirs.is_none() || mine == theirs;
        let (mine, theirs) = (self.to_segments(), other.to_segments());
        self.stars() == other.stars() && mine.len() == theirs.len() && mine.iter().zip(&theirs).all(agree)
    }

    fn to_segments(&self) -> Vec<Segment> {
        let split = || self.text.split(|&byte| byte == b'/').map(|segment| Some(segment.to_vec())).collect();
        self.segments.clone().unwrap_or_else(split)
    }
}

/// As it is written in `@on`.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments = match &self.segments {
            None => return f.write_str(&percent_encode(&self.text)),
            Some(segments) => segments,
        };
        let written = |segment: &Segment| match segment {
            Some(text) => percent_encode(text).replace('*', "%2A").replace('/', "%2F"),
            None => "*".to_owned(),
        };
        f.write_str(&segments.iter().map(written).collect::<Vec<_>>().join("/"))
    }
}

/// Whether a segment of a path is a pattern in another notation: `a*`, `:id`, `{id}`, `<id>`, `[id]`.
fn looks_like_pattern(segment: &[u8]) -> bool {
    segment != b"*" && (segment.starts_with(b":") || segment.iter().any(|byte| b"*{}<>[]".contains(byte)))
}

fn pattern(segment: &[u8]) -> String {
    let first = segment.iter().find(|byte| b":*{}<>[]".contains(byte)).copied().unwrap_or_default();
    format!(
        "`{}` looks like a pattern (write `*` for any segment, or `%{first:02X}` for a literal `{}`)",
        escape(segment),
        char::from(first)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> PathPattern {
        PathPattern::parse(path.as_bytes()).unwrap()
    }

    #[test]
    fn a_star_is_one_segment_that_is_not_empty() {
        let pattern = parse("/a%20b/*/c");
        for path in ["/a%20b/x/c", "/a b/%2F/c", "/a%20b/-/c", "/a%20b/*/%63"] {
            assert!(pattern.matches(path.as_bytes()), "{path}");
        }
        for path in ["/a%20b//c", "/a%20b/x/y/c", "/a%20b/c", "/a%20b/x/c/", "/x/x/c"] {
            assert!(!pattern.matches(path.as_bytes()), "{path}");
        }
        assert!(parse("/*").matches(b"/-") == parse("/*/x").matches(b"/-/x"));
        assert!(!parse("/*/stop").matches(b"/%2d/stop"));
        assert_eq!(parse("/*/%2A/a%20b").to_string(), "/*/%2A/a%20b");
    }

    #[test]
    fn a_path_without_a_star_is_decoded_before_the_comparison() {
        assert!(parse("/%2A/%7Bid%7D").matches(b"/*/{id}") && parse("/a%2Fb").matches(b"/a/b"));
        assert_eq!(parse("/a%20b").to_string(), "/a%20b");
    }

    #[test]
    fn the_pattern_with_fewer_stars_is_more_specific() {
        assert_eq!([parse("/a/b"), parse("/a/*"), parse("/*/*")].map(|path| path.stars()), [0, 1, 2]);
        assert!(parse("/a/*").covers(&parse("/a/b")) && parse("/*/*").covers(&parse("/a/*")));
        assert!(!parse("/a/*").covers(&parse("/*/b")) && !parse("/a/b").covers(&parse("/a/*")));
        assert!(
            parse("/a/*").is_ambiguous_with(&parse("/*/b")) && parse("/a").is_ambiguous_with(&parse("/%61"))
        );
        assert!(
            !parse("/a/*").is_ambiguous_with(&parse("/*/*"))
                && !parse("/a/*").is_ambiguous_with(&parse("/b/*"))
        );
    }
}
