//! Chunked bodies in random pieces: what was encoded is decoded, and a malformed body is the same error wherever it is cut.

use super::{choose, cut, damage, try_cases};
use crate::support::Random;
use rust_sse_server::internals::{ChunkDecoder, ChunkedWriter, Framing, Progress};
use std::io::Write;

/// What a decoder makes of a body.
#[derive(Debug, PartialEq)]
struct Decoded {
    data: Vec<u8>,
    /// The length of the body; `None` if it is incomplete.
    length: Result<Option<usize>, &'static str>,
}

fn decode(mut decoder: ChunkDecoder, pieces: &[&[u8]]) -> Decoded {
    let mut data = Vec::new();
    let mut before = 0;
    for piece in pieces {
        match decoder.push(piece, |run| data.extend_from_slice(run)) {
            Ok(Progress::More) => before += piece.len(),
            Ok(Progress::Done(used)) => return Decoded { data, length: Ok(Some(before + used)) },
            Err(error) => return Decoded { data, length: Err(error.0) },
        }
    }
    Decoded { data, length: Ok(None) }
}

fn random_data(random: &mut Random) -> Vec<u8> {
    let length = [1, 2, 30, 5_000][random.below(4)];
    (0..1 + random.below(length)).map(|_| b"ab\r\n0;: \xFF"[random.below(9)]).collect()
}

/// A body in any form that RFC 9112, section 7.1, allows. With `is_lenient`, also in the forms that browsers accept.
struct Encoded {
    data: Vec<u8>,
    body: Vec<u8>,
}

fn encode(random: &mut Random, is_lenient: bool) -> Encoded {
    let mut encoded = Encoded { data: Vec::new(), body: Vec::new() };
    let line_end = |random: &mut Random| if is_lenient && random.below(3) == 0 { "\n" } else { "\r\n" };
    let size_end = |random: &mut Random| {
        let extension =
            choose(random, &["", "", "", ";a", " ; a=b", "\t;a=\"b;\\\"c\"", ";a;b=c", "; a = b"]);
        let blanks = if is_lenient { choose(random, &["", " ", "\t "]) } else { "" };
        format!("{extension}{blanks}{}", line_end(random))
    };
    for _ in 0..random.below(6) {
        let data = random_data(random);
        let size = match random.below(4) {
            0 => format!("{:X}", data.len()),
            1 => format!("{:07x}", data.len()),
            _ => format!("{:x}", data.len()),
        };
        encoded.body.extend_from_slice(size.as_bytes());
        encoded.body.extend_from_slice(size_end(random).as_bytes());
        encoded.body.extend_from_slice(&data);
        encoded.body.extend_from_slice(line_end(random).as_bytes());
        encoded.data.extend_from_slice(&data);
    }
    encoded.body.extend_from_slice(choose(random, &[&b"0"[..], b"0000"]));
    encoded.body.extend_from_slice(size_end(random).as_bytes());
    for _ in 0..random.below(3) {
        encoded.body.extend_from_slice(choose(random, &[&b"X: y"[..], b"Empty:", b"A-b:\t\xE9 "]));
        encoded.body.extend_from_slice(line_end(random).as_bytes());
    }
    encoded.body.extend_from_slice(line_end(random).as_bytes());
    encoded
}

fn decoder(is_lenient: bool) -> ChunkDecoder {
    if is_lenient {
        ChunkDecoder::lenient()
    } else {
        ChunkDecoder::default()
    }
}

#[test]
fn encoded_bodies_are_decoded_and_end_at_their_last_byte() {
    try_cases(10, |random| {
        let is_lenient = random.below(2) == 0;
        let encoded = encode(random, is_lenient);
        let expected = Decoded { data: encoded.data, length: Ok(Some(encoded.body.len())) };
        let followed =
            [&encoded.body[..], choose(random, &[&b""[..], b"GET / HTTP/1.1\r\n", b"\r\n0"])].concat();
        let decoded = decode(decoder(is_lenient), &cut(random, &followed));
        assert_eq!(decoded, expected, "{}", followed.escape_ascii());
    });
}

#[test]
fn written_chunks_are_decoded() {
    try_cases(10, |random| {
        let (mut data, mut body) = (Vec::new(), Vec::new());
        let mut writer = ChunkedWriter::new(&mut body, Framing::Chunked);
        for _ in 0..random.below(8) {
            let piece = random_data(random);
            writer.write_all(&piece).unwrap();
            data.extend_from_slice(&piece);
            if random.below(2) == 0 {
                writer.flush().unwrap();
            }
        }
        writer.finish(choose(random, &[&b""[..], b"X: y\r\n"])).unwrap();
        assert_eq!(writer.length(), data.len() as u64);
        drop(writer);
        let expected = Decoded { data, length: Ok(Some(body.len())) };
        assert_eq!(decode(ChunkDecoder::default(), &cut(random, &body)), expected);
    });
}

#[test]
fn a_damaged_body_is_decoded_the_same_wherever_it_is_cut() {
    const INSERTIONS: &[&[u8]] = &[
        b"\r",
        b"\n",
        b"\r\n",
        b"0\r\n\r\n",
        b"0",
        b"f",
        b"-",
        b" ",
        b";",
        b":",
        b"\0",
        b"FFFFFFFFFFFFFFFFF",
    ];
    let (mut errors, mut bodies) = (0, 0);
    try_cases(10, |random| {
        let mut body = encode(random, true).body;
        damage(random, &mut body, 4, INSERTIONS);
        for is_lenient in [false, true] {
            let whole = decode(decoder(is_lenient), &[&body]);
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            assert_eq!(decode(decoder(is_lenient), &bytes), whole, "{}", body.escape_ascii());
            assert_eq!(decode(decoder(is_lenient), &cut(random, &body)), whole, "{}", body.escape_ascii());
            errors += usize::from(whole.length.is_err());
            bodies += 1;
        }
    });
    println!("{bodies} damaged chunked bodies, {errors} of them malformed");
}
