//! Chunks framed at once, in pieces, in advance; bodies without chunks.

use super::*;

/// Remembers every write by itself.
#[derive(Default)]
struct Writes(Vec<Vec<u8>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_vec());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn writes(
    framing: Framing,
    act: impl FnOnce(&mut ChunkedWriter<&mut Writes>) -> io::Result<()>,
) -> Vec<Vec<u8>> {
    let mut writes = Writes::default();
    act(&mut ChunkedWriter::new(&mut writes, framing)).unwrap();
    writes.0
}

#[test]
fn a_write_is_a_chunk_and_an_empty_one_is_none() {
    let all = writes(Framing::Chunked, |body| {
        body.write_all(b"Wiki")?;
        assert_eq!(body.write(b"")?, 0);
        body.write_all(b"pedia in chunks.")?;
        body.finish(b"")
    });
    assert_eq!(all, [b"4\r\nWiki\r\n10\r\npedia in chunks.\r\n0\r\n\r\n"]);
}

#[test]
fn what_is_gathered_leaves_in_one_write_at_a_flush() {
    let chunk = Framed::new(b"data: 1\n\n");
    let all = writes(Framing::Chunked, |body| {
        body.raw(b"HTTP/1.1 200 OK\r\n\r\n")?;
        body.framed(&chunk)?;
        body.flush()?;
        body.write_all(b"data: 2\n\n")?;
        body.finish(b"")
    });
    let first = b"HTTP/1.1 200 OK\r\n\r\n9\r\ndata: 1\n\n\r\n".to_vec();
    assert_eq!(all, [first, b"9\r\ndata: 2\n\n\r\n0\r\n\r\n".to_vec()]);
}

#[test]
fn a_chunk_can_be_written_in_pieces_and_the_trailer_section_follows_the_last() {
    let all = writes(Framing::Chunked, |body| {
        body.begin_chunk(6)?;
        body.data(b"abc")?;
        body.data(b"de\n")?;
        body.end_chunk()?;
        assert_eq!((body.octets(), body.ends_a_line()), (6, true));
        body.finish(b"X: y\r\n")
    });
    assert_eq!(all, [b"6\r\nabcde\n\r\n0\r\nX: y\r\n\r\n"]);
}

#[test]
fn a_short_chunk_is_a_chunk_whatever_was_gathered_before() {
    for before in [0, GATHER - 10] {
        let all = writes(Framing::Chunked, |body| {
            body.raw(&vec![b'-'; before])?;
            body.short_chunk(20, |data| data.extend_from_slice(b"data: 17 octets\n\n"))?;
            body.short_chunk(20, |_| {})?;
            assert_eq!((body.octets(), body.ends_a_line()), (17, true));
            body.finish(b"")
        });
        assert_eq!(all.concat()[before..], b"11\r\ndata: 17 octets\n\n\r\n0\r\n\r\n"[..]);
        assert!(all.iter().all(|write| write.len() <= GATHER));
    }
    let short = |framing| {
        writes(framing, |body| body.short_chunk(MAX_SHORT, |data| data.push(b'a')).and(body.finish(b"")))
    };
    assert_eq!(short(Framing::UntilClose), [b"a"]);
    assert_eq!(short(Framing::Chunked), [b"1\r\na\r\n0\r\n\r\n"]);
    assert!(short(Framing::Empty).is_empty());
}

/// What is written of a body of two chunks, framed in advance and just now.
fn a_and_b(framing: Framing) -> Vec<Vec<u8>> {
    writes(framing, |body| {
        body.framed(&Framed::new(b"a"))?;
        body.write_all(b"b")?;
        body.finish(b"")
    })
}

#[test]
fn a_body_until_close_has_no_framing() {
    assert_eq!(a_and_b(Framing::UntilClose), [b"ab"]);
}

#[test]
fn an_empty_body_stays_empty() {
    assert!(a_and_b(Framing::Empty).is_empty());
}

#[test]
fn large_chunks_are_written_without_being_copied() {
    let large = Framed::new(&[b'x'; 0x2000]);
    let all = writes(Framing::Chunked, |body| {
        body.raw(b"head")?;
        body.framed(&large)?;
        body.finish(b"")
    });
    assert_eq!(all[0], b"head");
    assert_eq!(all[1], [&b"2000\r\n"[..], &[b'x'; 0x2000], b"\r\n"].concat());
    assert_eq!(all[2], b"0\r\n\r\n");
}

#[test]
fn a_framed_chunk_knows_its_data() {
    assert_eq!(Framed::new(b"data: x\n").data(), b"data: x\n");
    assert_eq!(Framed::new(b"").data(), b"");
}
