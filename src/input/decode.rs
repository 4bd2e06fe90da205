//! Brings the bytes of a file to UTF-8 text: inflates gzip, decodes UTF-16.
//!
//! Codecs are told by their first bytes, never by the name of the file. *Law*: text before a break is delivered, the
//! break is told once, and no file makes more text than it is allowed to.

use std::cell::RefCell;
use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::mem;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc;

use flate2::bufread::GzDecoder;

use super::File;

/// How many bytes are taken from a file at a time.
const CHUNK: usize = 256 * 1024;

/// How many chunks may be inflated before somebody takes them.
const AHEAD: usize = 8;

/// How many bytes the magic numbers below need.
const MAGIC: usize = 8;

/// Damage that did not end the stream, such as a wrong checksum; told once the stream has ended.
#[derive(Clone, Default)]
pub(super) struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn add(&self, reason: impl Into<String>) {
        self.0.borrow_mut().push(reason.into());
    }

    /// Takes what was noted so far.
    pub(super) fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.borrow_mut())
    }
}

/// What was wrong with a stream, carried through [`io::Error`].
#[derive(Debug)]
struct Break(String);

impl std::fmt::Display for Break {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Break {}

fn broken(reason: impl Into<String>) -> io::Error {
    io::Error::other(Break(reason.into()))
}

/// The reason of a fault for an error met while reading.
pub(super) fn reason(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Break>()) {
        Some(Break(reason)) => reason.clone(),
        None => format!("cannot be read: {}", error.kind()),
    }
}

/// A file that must have as many bytes as when it was found: one that was cut, or emptied, may end where a record does.
pub(super) struct Whole<R> {
    inner: R,
    /// Bytes that were read, and that there should be; of those none once their lack was told.
    read: u64,
    size: u64,
}

impl<R: Read> Whole<R> {
    pub(super) fn new(inner: R, size: u64) -> Self {
        Self { inner, read: 0, size }
    }
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if count == 0 && !into.is_empty() && self.read < self.size {
            let size = std::mem::take(&mut self.size);
            return Err(broken(format!(
                "ends after {} of the {size} bytes that it had when it was found; scan it again",
                self.read
            )));
        }
        self.read += count as u64;
        Ok(count)
    }
}

/// How far something may inflate.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    /// Bytes of text.
    pub(super) bytes: u64,
    /// The flag that raises it.
    pub(super) flag: &'static str,
}

impl Limit {
    /// A limit on a file.
    pub(super) fn of_file(bytes: u64) -> Self {
        Self { bytes, flag: "--max-inflated" }
    }
}

/// Decoded text of `raw`, no more of it than `most` where it is compressed.
///
/// # Errors
/// When the first bytes cannot be read, or are of a codec that is not read.
pub(super) fn decoder<'r>(raw: impl Read + 'r, most: Limit) -> io::Result<(Box<dyn Read + 'r>, Notes)> {
    let notes = Notes::default();
    // gzip within gzip happens when a compressed object is uploaded with `Content-Encoding: gzip`.
    let (mut head, mut rest) = peek(Box::new(raw) as Box<dyn Read + 'r>)?;
    for _ in 0..2 {
        if !is_gzip(&head) {
            break;
        }
        let compressed = BufReader::with_capacity(CHUNK.min(64 * 1024), rest);
        let inflate =
            Inflate { state: State::Between(compressed), first: true, left: most.bytes, most, notes: notes.clone() };
        (head, rest) = peek(Box::new(inflate) as Box<dyn Read + 'r>)?;
    }
    if let Some((name, remedy)) = unread_codec(&head) {
        return Err(broken(format!("{name} is not read: {remedy}")));
    }
    Ok(match utf16(&head) {
        Some(encoding) => (
            Box::new(Transcode {
                inner: rest,
                decoder: encoding.new_decoder_with_bom_removal(),
                ready: Vec::new(),
                at: 0,
                ended: false,
            }),
            notes,
        ),
        None => (rest, notes),
    })
}

/// Whether bytes begin as gzip does.
pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(b"\x1f\x8b")
}

/// Whether a file begins as one compressed stream does, whether or not that is read.
pub(super) fn is_stream(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAGIC as u64).read_to_end(&mut head));
    read.is_ok() && (is_gzip(&head) || matches!(unread_codec(&head), Some(("zstd" | "bzip2" | "xz", _))))
}

/// Whether bytes are text already, as far as their beginning tells: nothing that [`decoder`] would decode or refuse.
pub(super) fn is_text(head: &[u8]) -> bool {
    !is_gzip(head) && unread_codec(head).is_none() && utf16(head).is_none()
}

/// The encoding of text in UTF-16, by its mark or by the zeros in its first letters.
fn utf16(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match *head {
        [0xFF, 0xFE, ..] | [b'{' | b'[', 0, _, 0, ..] => Some(encoding_rs::UTF_16LE),
        [0xFE, 0xFF, ..] | [0, b'{' | b'[', 0, _, ..] => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

type Peeked<'r> = (Vec<u8>, Box<dyn Read + 'r>);

/// The first bytes, and all of them again.
fn peek<'r>(mut reader: Box<dyn Read + 'r>) -> io::Result<Peeked<'r>> {
    let mut head = Vec::with_capacity(MAGIC);
    let outcome = (&mut reader).take(MAGIC as u64).read_to_end(&mut head);
    let tail = Failing(outcome.err());
    if head.is_empty()
        && let Some(error) = tail.0
    {
        return Err(error);
    }
    let again = Cursor::new(head.clone()).chain(tail).chain(reader);
    Ok((head, Box::new(again)))
}

/// Fails once with the error that it holds, and is empty without one.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The name of a codec that is not read, and what to do.
fn unread_codec(head: &[u8]) -> Option<(&'static str, &'static str)> {
    Some(match head {
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ("zstd", "decompress it first, with `zstd -d`"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => ("bzip2", "decompress it first, with `bunzip2`"),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => ("xz", "decompress it first, with `unxz`"),
        [b'P', b'K', 3, 4, ..] => ("zip", "unpack it first, with `unzip`"),
        [b'P', b'A', b'R', b'1', ..] => ("Parquet", "export the raw records as JSON"),
        [b'O', b'b', b'j', 1, ..] => ("Avro", "export the raw records as JSON"),
        [0x1F, 0x8B, ..] => ("gzip inside gzip inside gzip", "decompress it first, with `gunzip`"),
        _ => return None,
    })
}

/// Inflates gzip members one after another.
struct Inflate<R: BufRead> {
    state: State<R>,
    first: bool,
    left: u64,
    most: Limit,
    notes: Notes,
}

enum State<R: BufRead> {
    Between(R),
    Member(Box<GzDecoder<R>>),
    Ended,
}

impl<R: BufRead> Inflate<R> {
    /// The next member, or the end: zeros pad streams that were written in blocks.
    fn next_member(&mut self, mut compressed: R) -> io::Result<State<R>> {
        loop {
            let ready = compressed.fill_buf()?;
            if ready.is_empty() {
                return Ok(State::Ended);
            }
            let zeros = if self.first { 0 } else { ready.iter().take_while(|byte| **byte == 0).count() };
            if zeros == 0 {
                if ready[0] != 0x1F {
                    self.notes.add("bytes that are not gzip follow the gzip stream");
                    return Ok(State::Ended);
                }
                self.first = false;
                return Ok(State::Member(Box::new(GzDecoder::new(compressed))));
            }
            compressed.consume(zeros);
        }
    }

    /// Reads no more of a member than may be; an error if there is more.
    fn within(&self, member: &mut GzDecoder<R>, into: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if room > 0 {
            return member.read(&mut into[..room]);
        }
        match member.read(&mut [0])? {
            0 => Ok(0),
            _ => Err(broken(format!(
                "inflates to more than {}; raise the limit with `{}`",
                size(self.most.bytes),
                self.most.flag
            ))),
        }
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Between(compressed) => self.state = self.next_member(compressed)?,
                State::Member(mut member) => match self.within(&mut member, into) {
                    Ok(0) => self.state = State::Between(member.into_inner()),
                    Ok(count) => {
                        self.left -= count as u64;
                        self.state = State::Member(member);
                        return Ok(count);
                    }
                    Err(error) if error.to_string().contains("checksum") => {
                        self.notes.add("gzip checksum is wrong: the records were read, but may not be what was written; fetch the file again");
                        self.state = State::Between(member.into_inner());
                    }
                    Err(error) => return Err(told(error)),
                },
            }
        }
    }
}

/// An error of the inflater in the words of this project.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => broken("gzip stream ends early; fetch the file again"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            broken("gzip stream is damaged; fetch the file again")
        }
        _ => error,
    }
}

/// A number of bytes in words.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

/// Decodes UTF-16 to UTF-8.
struct Transcode<R> {
    inner: R,
    decoder: encoding_rs::Decoder,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Read for Transcode<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() && !self.ended {
            let mut raw = vec![0; CHUNK / 4];
            let count = self.inner.read(&mut raw)?;
            self.ended = count == 0;
            // Two bytes become at most three; the rest is room for a replaced half at the end.
            self.ready.resize(count * 2 + 16, 0);
            let (_, _, written, _) = self.decoder.decode_to_utf8(&raw[..count], &mut self.ready, self.ended);
            self.ready.truncate(written);
            self.at = 0;
        }
        let count = into.len().min(self.ready.len() - self.at);
        into[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Reads until `reader` ends, giving each piece to `piece`; the reason when it breaks.
pub(super) fn each_chunk(reader: &mut dyn Read, piece: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => piece(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(reason(&error)),
        }
    }
}

/// Gives the text of a file to `read`, while another thread inflates what comes next; and the damage that did not end
/// the stream.
pub(super) fn ahead<T>(file: &File, most: Limit, read: impl FnOnce(&mut dyn Read) -> T) -> (T, Vec<String>) {
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(AHEAD);
        let inflating = scope.spawn(move || {
            let (mut text, notes) = match file.open().and_then(|raw| decoder(raw, most)) {
                Ok(opened) => opened,
                Err(error) => {
                    // Nobody is waiting any more if this fails.
                    let _ = send.send(Err(error));
                    return Vec::new();
                }
            };
            loop {
                let mut chunk = vec![0; CHUNK];
                let piece = match text.read(&mut chunk) {
                    Ok(count) => {
                        chunk.truncate(count);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_last = !piece.as_ref().is_ok_and(|chunk| !chunk.is_empty());
                if send.send(piece).is_err() || is_last {
                    return notes.take();
                }
            }
        });
        let answer = read(&mut Arriving { pieces: receive, chunk: Vec::new(), at: 0 });
        let notes = inflating.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (answer, notes)
    })
}

/// Text that another thread inflates.
struct Arriving {
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            // A sender that is gone has sent the end before.
            let Ok(piece) = self.pieces.recv() else { return Ok(0) };
            (self.chunk, self.at) = (piece?, 0);
        }
        let count = into.len().min(self.chunk.len() - self.at);
        into[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// As much of `reader` as fits in `most` bytes before it ends or breaks, and the reason when it breaks.
pub(super) fn head(reader: &mut dyn Read, most: usize) -> (Vec<u8>, Option<String>) {
    let mut head = Vec::with_capacity(most.min(CHUNK));
    let outcome = reader.take(most as u64).read_to_end(&mut head);
    (head, outcome.err().map(|error| reason(&error)))
}

/// The text without a byte order mark.
pub(super) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}
