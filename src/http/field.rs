//! Reads a field line, `field-name ":" OWS field-value OWS` (RFC 9112, section 5), and says what may be sent as one:
//! the grammar that requests, responses and scripts share.

/// One field line, borrowed from the head it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLine<'a> {
    /// A token; field names are compared without regard to case.
    pub name: &'a str,
    /// Without the optional white space around it. Bytes, because obs-text (0x80 to 0xFF) is allowed.
    pub value: &'a [u8],
}

impl<'a> FieldLine<'a> {
    /// Reads a line that has lost its CR LF.
    ///
    /// # Errors
    /// Says in a few words what RFC 9112, section 5, forbids about the line.
    pub fn parse(line: &'a [u8]) -> Result<FieldLine<'a>, &'static str> {
        let name = field_name(line)?;
        let value = trim_ows(&line[name.len() + 1..]);
        if !is_field_value(value) {
            return Err("a field value holds a control byte");
        }
        let name = std::str::from_utf8(name).map_err(|_| NO_TOKEN)?;
        Ok(FieldLine { name, value })
    }

    /// Whether this line is the one called `name`, in any case.
    pub fn is(&self, name: &str) -> bool {
        is_same(self.name.as_bytes(), name.as_bytes())
    }
}

const NO_TOKEN: &str = "a field name is not a token";

/// Reads the name of a field line, and checks all that stands before the value.
///
/// # Errors
/// Says in a few words what RFC 9112, section 5, forbids about it.
pub fn field_name(line: &[u8]) -> Result<&[u8], &'static str> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return Err("a field line begins with white space (obs-fold)");
    }
    let colon = line.iter().position(|&byte| byte == b':');
    let name = &line[..colon.ok_or("a field line has no colon")?];
    if name.ends_with(b" ") || name.ends_with(b"\t") {
        return Err("white space stands before the colon of a field line");
    }
    if !is_token(name) {
        return Err(NO_TOKEN);
    }
    Ok(name)
}

/// Adds a field line to a head. Names are written as they come; what is ours is in lower case.
pub fn put_field_line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(piece);
    }
}

/// Whether two names, or two options, are the same: HTTP compares them without regard to case. Asked for in many places,
/// and compiled once.
#[inline(never)]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The field lines of a head that begins with its start line. What is no field line is passed over.
pub fn field_lines(head: &[u8]) -> impl Iterator<Item = FieldLine<'_>> {
    lines(head).filter_map(|line| FieldLine::parse(line).ok())
}

/// The value of the first field line called `name`, in any case, in a head whose lines were checked already.
pub fn field_value<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    lines(head).find_map(|line| value_of(line, name))
}

/// The values of all those field lines.
pub fn field_values<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    lines(head).filter_map(move |line| value_of(line, name))
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = line.get(name.len()..)?.strip_prefix(b":")?;
    is_same(&line[..name.len()], name.as_bytes()).then(|| trim_ows(value))
}

/// Which field names a head may hold: a bit for the first letter and the length of each. Most of those that are asked
/// for are not there, and looking through the whole head for each would be most of the work that a request makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names(u64);

impl Names {
    /// Adds a name.
    pub fn add(&mut self, name: &[u8]) {
        self.0 |= Names::bit(name);
    }

    /// Whether this name may have been added; one that was not is nearly always told apart.
    pub fn may_hold(self, name: &str) -> bool {
        self.0 & Names::bit(name.as_bytes()) != 0
    }

    fn bit(name: &[u8]) -> u64 {
        let first = name.first().map_or(0, u8::to_ascii_lowercase);
        1 << ((usize::from(first) + name.len()) % 64)
    }
}

/// The lines of a head after the first, without their ends.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.skip(1).take_while(|line| !line.is_empty())
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
    bytes.iter().all(|&byte| is_field_octet(byte))
}

/// Whether an octet may stand in a `field-value`.
pub fn is_field_octet(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// Takes the optional white space (SP and HTAB) off both ends.
pub fn trim_ows(bytes: &[u8]) -> &[u8] {
    let is_ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().take_while(|byte| is_ows(byte)).count();
    let end = bytes.iter().rev().take_while(|byte| is_ows(byte)).count();
    &bytes[start..bytes.len().max(start + end) - end]
}

/// The members of a comma-separated list (RFC 9110, section 5.6.1), trimmed; empty ones are passed over.
pub fn list_members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let members = value.split(|&byte| byte == b',').map(trim_ows);
    members.filter(|member| !member.is_empty())
}

/// Whether a `connection` field line with this value ends the connection (RFC 9112, section 9.6).
pub fn says_close(value: &[u8]) -> bool {
    list_members(value).any(|option| is_same(option, b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_name_from_value_and_trims_the_value() {
        let line = FieldLine::parse(b"Last-Event-ID: \t7 \t").unwrap();
        assert_eq!((line.name, line.value), ("Last-Event-ID", &b"7"[..]));
        assert!(line.is("last-event-id"));
        assert_eq!(FieldLine::parse(b"x:").unwrap().value, b"");
        assert_eq!(FieldLine::parse(b"x:a:b \xe9").unwrap().value, b"a:b \xe9");
    }

    #[test]
    fn refuses_what_the_grammar_forbids() {
        let lines: [&[u8]; 8] =
            [b" x: folded", b"\tx: y", b"no colon", b": no name", b"x : y", b"a b: y", b"x: \0", b"x: \x7f"];
        for line in lines {
            assert!(FieldLine::parse(line).is_err(), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn trims_a_value_that_is_white_space_alone() {
        assert_eq!(trim_ows(b" \t "), b"");
        assert_eq!(trim_ows(b""), b"");
        assert_eq!(trim_ows(b" a b "), b"a b");
    }

    #[test]
    fn names_that_were_added_are_held_in_any_case_and_others_hardly_ever() {
        let mut names = Names::default();
        assert!(!names.may_hold("host"));
        for name in ["Host", "User-Agent", "Accept", "Cache-Control"] {
            names.add(name.as_bytes());
        }
        assert!(names.may_hold("host") && names.may_hold("ACCEPT"));
        for name in ["connection", "origin", "expect", "transfer-encoding", "content-length", "last-event-id"]
        {
            assert!(!names.may_hold(name), "{name}");
        }
    }

    #[test]
    fn lists_skip_empty_members() {
        let members: Vec<_> = list_members(b"close, ,keep-alive,").collect();
        assert_eq!(members, [&b"close"[..], b"keep-alive"]);
    }
}
