//! Chunks framed now, in advance or cut; bodies that are not chunked.

use super::*;

/// Keeps the bytes of every write.
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
fn a_write_is_a_chunk_and_an_empty_write_writes_nothing() {
    let all = writes(Framing::Chunked, |body| {
        body.write_all(b"Wiki")?;
        assert_eq!(body.write(b"")?, 0);
        body.write_all(b"pedia in chunks.")?;
        body.finish(b"")
    });
    assert_eq!(all, [b"4\r\nWiki\r\n10\r\npedia in chunks.\r\n0\r\n\r\n"]);
}

#[test]
fn a_flush_writes_everything_that_was_gathered_in_one_write() {
    let all = writes(Framing::Chunked, |body| {
        body.write_raw(b"HTTP/1.1 200 OK\r\n\r\n")?;
        body.write_all(b"data: 1\n\n")?;
        body.flush()?;
        body.write_all(b"data: 2\n\n")?;
        body.finish(b"")
    });
    let first = b"HTTP/1.1 200 OK\r\n\r\n9\r\ndata: 1\n\n\r\n".to_vec();
    assert_eq!(all, [first, b"9\r\ndata: 2\n\n\r\n0\r\n\r\n".to_vec()]);
}

#[test]
fn the_trailer_section_follows_the_last_chunk() {
    let all = writes(Framing::Chunked, |body| {
        body.write_all(b"abcde\n")?;
        assert_eq!(body.length(), 6);
        body.finish(b"X: y\r\n")
    });
    assert_eq!(all, [b"6\r\nabcde\n\r\n0\r\nX: y\r\n\r\n"]);
}

#[test]
fn a_cut_chunk_has_its_whole_size_and_a_part_of_its_data() {
    let cut = |framing| {
        writes(framing, |body| {
            body.write_cut(b"abcde", 2)?;
            assert_eq!(body.length(), 2);
            body.flush()
        })
    };
    assert_eq!(cut(Framing::Chunked), [b"5\r\nab"]);
    assert_eq!(cut(Framing::UntilClose), [b"ab"]);
    assert!(cut(Framing::Empty).is_empty());
}

#[test]
fn more_than_is_gathered_leaves_without_a_flush() {
    let all = writes(Framing::Chunked, |body| {
        body.write_raw(&[b'-'; GATHER - 10])?;
        body.write_all(b"data: 17 bytes.\n\n")?;
        body.finish(b"")
    });
    assert_eq!(all.concat()[GATHER - 10..], b"11\r\ndata: 17 bytes.\n\n\r\n0\r\n\r\n"[..]);
    assert_eq!(all.len(), 2);
}

/// The writes of a body of two chunks.
fn a_and_b(framing: Framing) -> Vec<Vec<u8>> {
    writes(framing, |body| {
        body.write_all(b"a")?;
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
fn the_data_of_a_large_chunk_is_not_copied() {
    let all = writes(Framing::Chunked, |body| {
        body.write_raw(b"head")?;
        body.write_all(&[b'x'; 0x2000])?;
        body.finish(b"")
    });
    assert_eq!(all, [&b"head2000\r\n"[..], &[b'x'; 0x2000], b"\r\n0\r\n\r\n"]);
}
