//! Sends a chunk: framed in advance or just now, whole or cut into pieces, up to its end or to where `@drop after` cuts.

use super::pieces::{runs, Pieces, Run};
use super::{End, Player, Stop};
use crate::http::chunk::Framed;
use crate::script::play::clock::Clock;
use crate::script::template::{render, Segment, MAX_DIGITS};
use crate::script::Chunk;
use std::io::Write;
use std::time::Duration;

/// Octets of filler written at once.
const FILL: usize = 256;
/// Octets of filler after which to look whether going on makes sense.
const FILL_CHECK: u64 = 256 * 1024;

impl<W: Write, C: Clock> Player<'_, W, C> {
    /// Sends a chunk, or what is left of it after the first `skip` octets of its text.
    pub(super) fn send(&mut self, chunk: &Chunk, skip: u64) -> Result<(), Stop> {
        match chunk {
            Chunk::Framed(chunk) => self.send_framed(chunk, skip),
            Chunk::Template { segments, at_most: Some(octets), .. }
                if skip == 0 && self.drop_after.is_none() =>
            {
                self.send_short(segments, *octets)
            }
            Chunk::Template { segments, pieces, .. } => self.send_template(segments, *pieces, skip),
        }
    }

    /// Sends a chunk that was framed in advance, unless only a part of it is to be sent.
    pub(super) fn send_framed(&mut self, chunk: &Framed, skip: u64) -> Result<(), Stop> {
        self.note_sending();
        self.send_head()?;
        if skip == 0 && self.drop_after.is_none() {
            return Ok(self.body.framed(chunk)?);
        }
        let data = &chunk.data()[skip as usize..];
        let mut pieces = Pieces::new(None, data.len() as u64);
        self.send_data(data, &mut pieces)?;
        self.end_pieces(&pieces)
    }

    /// Sends what leaves whole, in a buffer where it has room.
    fn send_short(&mut self, segments: &[Segment], at_most: usize) -> Result<(), Stop> {
        self.note_sending();
        self.send_head()?;
        let context = self.context();
        Ok(self.body.short_chunk(at_most, |data| render(segments, &context, data))?)
    }

    fn send_template(
        &mut self,
        segments: &[Segment],
        pieces: Option<(u64, Duration)>,
        skip: u64,
    ) -> Result<(), Stop> {
        self.note_sending();
        if pieces.is_some() {
            self.body.flush()?;
        }
        self.send_head()?;
        let context = self.context();
        let length = runs(segments, skip, &context).map(|run| run.length()).sum();
        let mut pieces = Pieces::new(pieces, length);
        for run in runs(segments, skip, &context) {
            match run {
                Run::Text(text) => self.send_data(text, &mut pieces)?,
                Run::Value(value) => self.send_data(value.as_bytes(&mut [0; MAX_DIGITS]), &mut pieces)?,
                Run::Fill(byte, count) => self.send_fill(byte, count, &mut pieces)?,
            }
        }
        self.end_pieces(&pieces)
    }

    #[inline(never)]
    fn send_fill(&mut self, byte: u8, mut count: u64, pieces: &mut Pieces) -> Result<(), Stop> {
        let filler = [byte; FILL];
        while count > 0 {
            let length = count.min(FILL as u64);
            self.send_data(&filler[..length as usize], pieces)?;
            count -= length;
            if count % FILL_CHECK < FILL as u64 {
                self.clock.check()?;
                self.look();
            }
        }
        Ok(())
    }

    /// Sends data of a chunk, or of the pieces it is cut into.
    fn send_data(&mut self, mut data: &[u8], pieces: &mut Pieces) -> Result<(), Stop> {
        while !data.is_empty() {
            if pieces.left_in_piece == 0 {
                self.begin_piece(pieces)?;
            }
            let length = pieces.left_in_piece.min(data.len() as u64);
            let allowed =
                self.drop_after.map_or(u64::MAX, |octets| octets.saturating_sub(self.body.octets()));
            self.body.data(&data[..length.min(allowed) as usize])?;
            if length >= allowed {
                self.body.flush()?;
                return Err(Stop::End(End::Close));
            }
            pieces.left_in_piece -= length;
            pieces.left = pieces.left.saturating_sub(length);
            data = &data[length as usize..];
        }
        Ok(())
    }

    fn begin_piece(&mut self, pieces: &mut Pieces) -> Result<(), Stop> {
        if pieces.begun {
            self.body.end_chunk()?;
            self.body.flush()?;
            self.sleep(pieces.every)?;
            self.note_sending();
        }
        pieces.begun = true;
        // More data than was counted would be a fault of ours; an empty chunk for it would end the body.
        pieces.left_in_piece = pieces.size.min(pieces.left.max(1));
        Ok(self.body.begin_chunk(pieces.left_in_piece)?)
    }

    fn end_pieces(&mut self, pieces: &Pieces) -> Result<(), Stop> {
        if pieces.begun {
            self.body.end_chunk()?;
        }
        if pieces.leave_alone() {
            self.body.flush()?;
        }
        Ok(())
    }
}
