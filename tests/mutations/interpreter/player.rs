//! Follows the operations of a script and writes down what is sent, and when.

use super::{Cut, Framing, Op, Reader, Response};
use std::time::Duration;

/// The most bytes and the most turns of loops that are interpreted.
const MOST_BYTES: usize = 256 * 1024;
const MOST_TURNS: usize = 20_000;

enum Stop {
    /// A limit of the interpreter is reached.
    CutOff,
    /// `@drop after` ends the response.
    Dropped,
    /// Something that is not understood here.
    Unknown,
}

struct Player {
    response: Response,
    head_is_unsent: bool,
    is_chunked: bool,
    has_body: bool,
    /// The bytes of the next write.
    gathered: Vec<u8>,
    chunk: Vec<u8>,
    now: Duration,
    /// Bytes of the body so far.
    length: usize,
    drop_after: Option<usize>,
    bytes: usize,
    turns: usize,
}

pub(super) fn play(reader: &Reader) -> Option<Response> {
    let ending = reader.ending.unwrap_or("end");
    let is_complete = ["end", "close"].contains(&ending);
    let has_body = !is_complete || reader.ops.iter().any(sends);
    let field = match reader.framing {
        Framing::Default if !has_body => "content-length: 0\r\n".to_owned(),
        Framing::Default | Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::Length(Some(length)) => format!("content-length: {length}\r\n"),
        Framing::Length(None) => format!("content-length: {}\r\n", length(&reader.ops)?),
        Framing::Close => String::new(),
    };
    let closes = ending == "close" || reader.framing == Framing::Close;
    let head = format!(
        "HTTP/1.1 200 OK\r\n{field}cache-control: no-cache\r\ncontent-type: text/event-stream\r\ndate: *\r\n{}\r\n",
        if closes { "connection: close\r\n" } else { "" }
    );
    let mut player = Player {
        response: Response { head, ..Response::default() },
        head_is_unsent: true,
        is_chunked: reader.framing == Framing::Chunked || (reader.framing == Framing::Default && has_body),
        has_body: has_body || reader.framing != Framing::Default,
        gathered: Vec::new(),
        chunk: Vec::new(),
        now: Duration::ZERO,
        length: 0,
        drop_after: None,
        bytes: 0,
        turns: 0,
    };
    let after = match player.follow(&reader.ops, 0) {
        Ok(()) if is_complete => {
            player.send_head();
            if player.is_chunked {
                player.gathered.extend_from_slice(b"0\r\n\r\n");
            }
            let announced = match reader.framing {
                Framing::Length(Some(length)) => length,
                _ => player.length,
            };
            if ending == "end" && announced == player.length {
                "KeepAlive"
            } else {
                "Close"
            }
        }
        Ok(()) if ending == "reset" => "Reset",
        Ok(()) | Err(Stop::Dropped) => "Close",
        Err(Stop::CutOff) => {
            player.response.is_cut_off = true;
            ""
        }
        Err(Stop::Unknown) => return None,
    };
    player.write();
    player.response.after = after.to_owned();
    Some(player.response)
}

/// Whether this sends something in the body.
fn sends(op: &Op) -> bool {
    match op {
        Op::Byte(_) | Op::Turn | Op::Wire(_) => true,
        Op::Repeat(_, _, repeated) => repeated.iter().any(sends),
        _ => false,
    }
}

/// Bytes of the body; `None` where that depends on more than the script.
fn length(ops: &[Op]) -> Option<u64> {
    let length_of = |op: &Op| match op {
        Op::Byte(_) => Some(1),
        Op::Turn | Op::Wire(_) => None,
        Op::Repeat(turns, _, repeated) => length(repeated)?.checked_mul((*turns)?),
        _ => Some(0),
    };
    ops.iter().try_fold(0_u64, |sum, op| sum.checked_add(length_of(op)?))
}

impl Player {
    fn follow(&mut self, ops: &[Op], turn: u64) -> Result<(), Stop> {
        for op in ops {
            match op {
                Op::Byte(byte) => self.chunk.push(*byte),
                Op::Turn => self.chunk.extend_from_slice(turn.to_string().as_bytes()),
                Op::EndChunk(cut) => self.end_chunk(*cut)?,
                Op::Flush => self.write(),
                Op::Open => {
                    self.send_head();
                    self.write();
                }
                Op::Wire(_) if self.head_is_unsent => return Err(Stop::Unknown),
                Op::Wire(bytes) => {
                    self.gathered.extend_from_slice(bytes);
                    self.bytes += bytes.len();
                    self.write();
                }
                Op::Sleep(time) => self.wait_until(self.now + *time),
                Op::DropAfter(length) => {
                    self.drop_after = Some(*length);
                    if self.length >= *length {
                        self.send_head();
                        return Err(Stop::Dropped);
                    }
                }
                Op::Repeat(turns, every, repeated) => self.repeat(*turns, *every, repeated)?,
            }
        }
        Ok(())
    }

    fn repeat(&mut self, turns: Option<u64>, every: Duration, repeated: &[Op]) -> Result<(), Stop> {
        for turn in 1.. {
            let (start, bytes) = (self.now, self.bytes);
            self.follow(repeated, turn)?;
            // Without a body, a loop without an end has one turn.
            if turns.map_or(!self.has_body, |turns| turns == turn) {
                break;
            }
            self.wait_until(self.now.max(start + every));
            if turns.is_none() && self.now == start && self.bytes == bytes {
                return Err(Stop::Unknown);
            }
            self.turns += 1;
            if self.turns > MOST_TURNS {
                return Err(Stop::CutOff);
            }
        }
        Ok(())
    }

    fn end_chunk(&mut self, cut: Cut) -> Result<(), Stop> {
        let chunk = std::mem::take(&mut self.chunk);
        if chunk.is_empty() {
            return Ok(());
        }
        let (size, every) = match cut {
            Cut::Pieces(size, every) => (size, every),
            _ => {
                self.send_head();
                return self.send(&chunk);
            }
        };
        self.write();
        self.send_head();
        for (number, piece) in chunk.chunks(size).enumerate() {
            if number > 0 {
                self.wait_until(self.now + every);
            }
            self.send(piece)?;
            self.write();
        }
        Ok(())
    }

    fn send(&mut self, data: &[u8]) -> Result<(), Stop> {
        let left = self.drop_after.map_or(usize::MAX, |limit| limit - self.length);
        if self.is_chunked {
            self.gathered.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
        }
        self.gathered.extend_from_slice(&data[..data.len().min(left)]);
        self.length += data.len();
        self.bytes += data.len();
        if data.len() >= left {
            return Err(Stop::Dropped);
        }
        if self.is_chunked {
            self.gathered.extend_from_slice(b"\r\n");
        }
        if self.bytes > MOST_BYTES {
            return Err(Stop::CutOff);
        }
        Ok(())
    }

    fn send_head(&mut self) {
        if std::mem::take(&mut self.head_is_unsent) {
            self.gathered.extend_from_slice(self.response.head.as_bytes());
        }
    }

    /// What is due earlier leaves before a wait.
    fn wait_until(&mut self, time: Duration) {
        if time > self.now {
            self.write();
            self.now = time;
        }
    }

    fn write(&mut self) {
        if !self.gathered.is_empty() {
            self.response.writes.push((self.now, std::mem::take(&mut self.gathered)));
        }
    }
}
