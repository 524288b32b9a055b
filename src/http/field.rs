//! Parses field lines, `field-name ":" OWS field-value OWS` (RFC 9112, section 5), and finds them in a head: the grammar
//! that requests, responses and scripts share.

/// One field line, borrowed from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLine<'a> {
    /// A token. Field names are case-insensitive.
    pub name: &'a str,
    /// The value without the white space around it. Bytes, because obs-text (0x80 to 0xFF) is allowed.
    pub value: &'a [u8],
}

impl<'a> FieldLine<'a> {
    /// Parses a line without its CR LF.
    ///
    /// # Errors
    /// Which rule of RFC 9112, section 5, the line violates, in a few words.
    pub fn parse(line: &'a [u8]) -> Result<FieldLine<'a>, &'static str> {
        let name = field_name(line)?;
        let value = trim_ows(&line[name.len() + 1..]);
        if !is_received_value(value) {
            return Err("a field value contains NUL or CR");
        }
        let name = std::str::from_utf8(name).map_err(|_| NOT_A_TOKEN)?;
        Ok(FieldLine { name, value })
    }

    /// Whether this line has the name `name`, which is case-insensitive.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

const NOT_A_TOKEN: &str = "a field name is not a token";

/// Parses the name of a field line and checks everything before the value.
///
/// # Errors
/// Which rule of RFC 9112, section 5, the line violates, in a few words.
pub fn field_name(line: &[u8]) -> Result<&[u8], &'static str> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Err("a field line begins with white space (obs-fold)");
    }
    let colon = line.iter().position(|&byte| byte == b':');
    let name = &line[..colon.ok_or("a field line has no colon")?];
    if name.ends_with(b" ") || name.ends_with(b"\t") {
        return Err("white space before the colon of a field line");
    }
    if !is_token(name) {
        return Err(NOT_A_TOKEN);
    }
    Ok(name)
}

/// Adds a field line with its CR LF.
pub fn put_field_line(lines: &mut Vec<u8>, name: &str, value: &[u8]) {
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        lines.extend_from_slice(piece);
    }
}

/// The field lines of a head that begins with its start line. Invalid lines are skipped.
pub fn field_lines(head: &[u8]) -> impl Iterator<Item = FieldLine<'_>> {
    lines(head).filter_map(|line| FieldLine::parse(line).ok())
}

/// The value of the first field line with this name, which is case-insensitive.
pub fn field_value<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    lines(head).find_map(|line| value_of(line, name))
}

/// The values of all field lines with this name, which is case-insensitive.
pub fn field_values<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    lines(head).filter_map(move |line| value_of(line, name))
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = line.get(name.len()..)?.strip_prefix(b":")?;
    line[..name.len()].eq_ignore_ascii_case(name.as_bytes()).then(|| trim_ows(value))
}

/// The lines of a head after the first, without their line ends.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.skip(1).take_while(|line| !line.is_empty())
}

/// Whether a field value of a request may be kept: RFC 9110, section 5.5, forbids NUL, CR and LF, and lets a recipient keep
/// the other control characters. Browsers send them in `Last-Event-ID` when a stream has put them into an `id`.
pub fn is_received_value(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| b"\0\r\n".contains(byte))
}

/// Whether a `Content-Type` (RFC 9110, section 8.3) is that of an event stream, with any parameters.
pub fn is_event_stream(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    trim_ows(media_type).eq_ignore_ascii_case(b"text/event-stream")
}

/// `token = 1*tchar` (RFC 9110, section 5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_tchar(byte))
}

fn is_tchar(byte: u8) -> bool {
    match byte {
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|'
        | b'~' => true,
        _ => byte.is_ascii_alphanumeric(),
    }
}

/// `field-value` (RFC 9110, section 5.5): HTAB, SP, VCHAR and obs-text, so no CR, no LF, no other control byte.
pub fn is_field_value(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control())
}

/// Removes the optional white space (SP and HTAB) at both ends.
pub fn trim_ows(bytes: &[u8]) -> &[u8] {
    let is_ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().take_while(|byte| is_ows(byte)).count();
    let end = bytes.iter().rev().take_while(|byte| is_ows(byte)).count();
    &bytes[start..bytes.len().max(start + end) - end]
}

/// The members of a comma-separated list (RFC 9110, section 5.6.1), trimmed; empty members are ignored.
pub fn list_members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let members = value.split(|&byte| byte == b',').map(trim_ows);
    members.filter(|member| !member.is_empty())
}

/// Whether a `Connection` field line with this value asks to close the connection (RFC 9112, section 9.6).
pub fn says_close(value: &[u8]) -> bool {
    list_members(value).any(|option| option.eq_ignore_ascii_case(b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_into_its_name_and_its_trimmed_value() {
        let line = FieldLine::parse(b"Last-Event-ID: \t7 \t").unwrap();
        assert_eq!((line.name, line.value), ("Last-Event-ID", &b"7"[..]));
        assert!(line.is("last-event-id"));
        assert_eq!(FieldLine::parse(b"x:").unwrap().value, b"");
        assert_eq!(FieldLine::parse(b"x:a:b \xe9\x01").unwrap().value, b"a:b \xe9\x01");
    }

    #[test]
    fn rejects_what_the_grammar_forbids() {
        let lines: [&[u8]; 7] =
            [b" x: folded", b"\tx: y", b"no colon", b": no name", b"x : y", b"a b: y", b"x: \0"];
        for line in lines {
            assert!(FieldLine::parse(line).is_err(), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn a_value_of_white_space_is_empty() {
        assert_eq!(trim_ows(b" \t "), b"");
        assert_eq!(trim_ows(b""), b"");
        assert_eq!(trim_ows(b" a b "), b"a b");
    }

    #[test]
    fn a_content_type_is_compared_without_its_parameters_and_in_any_case() {
        for content_type in ["text/event-stream", "Text/Event-Stream ; charset=utf-8", "text/event-stream;x"]
        {
            assert!(is_event_stream(content_type.as_bytes()), "{content_type}");
        }
        for content_type in ["", "text/event-streams", "text/plain; text/event-stream", "text /event-stream"]
        {
            assert!(!is_event_stream(content_type.as_bytes()), "{content_type}");
        }
    }

    #[test]
    fn empty_members_of_a_list_are_ignored() {
        let members: Vec<_> = list_members(b"close, ,keep-alive,").collect();
        assert_eq!(members, [&b"close"[..], b"keep-alive"]);
    }
}
