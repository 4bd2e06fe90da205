//! Splits CSV into rows and cells (RFC 4180).
//!
//! The `csv` crate does not tell an empty cell from an empty quoted one; Athena writes NULL as the first and the
//! empty string as the second.

use std::io::Read;
use std::mem;
use std::path::Path;
use std::sync::Arc;

use super::athena::Columns;
use super::batch::{Batch, What};
use super::decode;

/// Whether text that begins with `head` is CSV: by the name, or by a header that is known.
pub(super) fn is_csv(head: &[u8], path: Option<&Path>) -> bool {
    let text = decode::without_mark(head).trim_ascii_start();
    if text.is_empty() || matches!(text[0], b'{' | b'[' | b'<') {
        return false;
    }
    let name =
        path.and_then(Path::file_name).map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    name.strip_suffix(".gz").unwrap_or(&name).ends_with(".csv") || Columns::look_known(&cells(first_row(text)))
}

fn first_row(text: &[u8]) -> &[u8] {
    let mut quoted = false;
    let end = text.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b'\n' && !quoted
    });
    &text[..end.unwrap_or(text.len()).min(super::HEAD)]
}

/// The cells of one row; an empty cell without quotes is `None`.
pub(super) fn cells(row: &[u8]) -> Vec<Option<String>> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let mut cells = Vec::new();
    let mut cell = Vec::new();
    let (mut inside, mut was_quoted) = (false, false);
    let mut bytes = row.iter().copied().peekable();
    let mut end = |cell: &mut Vec<u8>, was_quoted: bool| {
        let text = String::from_utf8_lossy(&mem::take(cell)).into_owned();
        cells.push((was_quoted || !text.is_empty()).then_some(text));
    };
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if inside && bytes.peek() == Some(&b'"') => {
                bytes.next();
                cell.push(b'"');
            }
            b'"' if inside => inside = false,
            b'"' if cell.is_empty() && !was_quoted => (inside, was_quoted) = (true, true),
            b',' if !inside => {
                end(&mut cell, was_quoted);
                was_quoted = false;
            }
            other => cell.push(other),
        }
    }
    end(&mut cell, was_quoted);
    cells
}

/// Splits text into rows as it arrives.
struct Splitter<'a> {
    max: usize,
    columns: Option<Arc<Columns>>,
    refused: bool,
    row: Vec<u8>,
    /// The row in hand is longer than it may be: its bytes are passed over to the end of the line.
    too_long: bool,
    quoted: bool,
    /// A quote would open a quoted cell here.
    opens: bool,
    line: u64,
    row_line: u64,
    batch: Batch,
    batches: &'a mut dyn FnMut(Batch),
}

impl Splitter<'_> {
    fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() && !self.refused {
            let room =
                if self.too_long { chunk.len() } else { chunk.len().min(self.max.saturating_add(1) - self.row.len()) };
            let found = chunk[..room].iter().position(|byte| {
                // A quote opens a quoted cell at its start only, and a doubled one does not end it.
                let quote = *byte == b'"' && (self.quoted || self.opens);
                self.opens = quote && self.quoted || !self.quoted && matches!(byte, b',' | b'\n');
                self.quoted ^= quote;
                *byte == b'\n'
                    && (!self.quoted || self.too_long || {
                        self.line += 1;
                        false
                    })
            });
            let (piece, rest) = chunk.split_at(found.map_or(room, |at| at + 1));
            chunk = rest;
            if !self.too_long && self.row.len() + piece.len() > self.max {
                self.too_long = true;
                self.row.clear();
                self.batch.push_too_long(self.row_line);
            }
            if !self.too_long {
                self.row.extend_from_slice(piece);
            }
            if found.is_some() {
                self.line += 1;
                self.end_row();
            }
        }
    }

    fn end_row(&mut self) {
        let row = mem::take(&mut self.row);
        let line = mem::replace(&mut self.row_line, self.line);
        (self.quoted, self.opens) = (false, true);
        if mem::take(&mut self.too_long) || row.trim_ascii().is_empty() {
            return;
        }
        match &self.columns {
            Some(_) => self.batch.push(What::Row, &row, line, false),
            None if row.trim_ascii_end().contains(&b'\r') => {
                let reason =
                    "a header with carriage returns, which end no lines here; convert them with `tr '\\r' '\\n'`";
                self.batch.push_break(reason.to_owned(), line);
                self.refused = true;
            }
            None => match Columns::of(&cells(decode::without_mark(&row))) {
                Ok(columns) => {
                    let columns = Arc::new(columns);
                    self.batch = Batch::rows(Arc::clone(&columns), self.max);
                    self.columns = Some(columns);
                }
                Err(reason) => {
                    self.batch.push_break(reason, line);
                    self.refused = true;
                }
            },
        }
        if let (true, Some(columns)) = (self.batch.is_full(), &self.columns) {
            (self.batches)(mem::replace(&mut self.batch, Batch::rows(Arc::clone(columns), self.max)));
        }
    }
}

/// Splits `head` and what `rest` still holds into batches of rows; gives the last batch. A header that cannot be read
/// as events is one fault for the file, and ends the reading of it.
pub(super) fn split(
    head: &[u8],
    broken: Option<String>,
    rest: &mut dyn Read,
    max: usize,
    batches: &mut dyn FnMut(Batch),
) -> Batch {
    let mut splitter = Splitter {
        max,
        columns: None,
        refused: false,
        row: Vec::new(),
        too_long: false,
        quoted: false,
        opens: true,
        line: 1,
        row_line: 1,
        batch: Batch::json(max),
        batches,
    };
    splitter.feed(head);
    let mut broken = broken;
    if broken.is_none() && !splitter.refused {
        broken = decode::each_chunk(rest, &mut |chunk| splitter.feed(chunk)).err();
    }
    if broken.is_some() || splitter.quoted {
        let reason = broken.unwrap_or_else(|| "ends in the middle of a row; fetch the file again".to_owned());
        splitter.batch.push_break(reason, splitter.row_line);
    } else {
        splitter.end_row();
    }
    splitter.batch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(text: &str, max: usize, size: usize) -> Vec<(What, String, u64)> {
        let mut batches = Vec::new();
        let last = {
            let mut take = |batch| batches.push(batch);
            let (head, rest) = text.as_bytes().split_at(size.min(text.len()));
            split(head, None, &mut &rest[..], max, &mut take)
        };
        batches.push(last);
        let slices = batches.iter().flat_map(Batch::slices);
        slices
            .map(|(what, bytes, line, _)| (what, String::from_utf8_lossy(bytes).trim_end().to_owned(), line))
            .collect()
    }

    #[test]
    fn rows_end_outside_of_quotes() {
        let text = "a,eventJson\r\n1,\"x\n\"\"y\"\n\n2\",z\"\n3,\"\"\n";
        for size in 0..text.len() {
            let rows = rows_of(text, 100, size);
            let expected = [("1,\"x\n\"\"y\"", 2), ("2\",z\"", 5), ("3,\"\"", 6)]
                .map(|(row, line)| (What::Row, row.to_owned(), line));
            assert_eq!(rows, expected);
        }
        let text = format!("a,eventJson\n\"{}\n1,2\n", "x".repeat(50));
        for size in [0, 20, 40, 70] {
            let rows = rows_of(&text, 30, size);
            assert_eq!((rows[0].0, rows.last().expect("a row").1.as_str()), (What::Break, "1,2"), "{rows:?}");
        }
    }

    #[test]
    fn tells_absent_from_empty() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(cells(b"a,,\"\",\"x \"\"y\"\", z\"\r\n"), [some("a"), None, some(""), some("x \"y\", z")]);
    }
}
