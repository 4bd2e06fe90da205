//! Puts a document together value by value, where writing JSON and parsing it would cost more than the values do.

use serde::de::DeserializeSeed;

use super::careful::{Builder, Fill};
use super::{Cell, Document, Ref};

/// A document in the making.
pub(crate) struct Making(Builder);

impl Making {
    pub(crate) fn new() -> Self {
        Self(Builder { cells: Vec::new(), text: String::new(), duplicate_key: false })
    }

    /// Adds the name of a member, whose value comes next.
    pub(crate) fn member(&mut self, name: &str) -> &mut Self {
        self.0.copy_text(name);
        self
    }

    /// Adds text, or `null`.
    pub(crate) fn text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.0.copy_text(text),
            None => self.0.cells.push(Cell::Null),
        }
    }

    /// Adds `true`, `false`, or `null`.
    pub(crate) fn flag(&mut self, flag: Option<bool>) {
        self.0.cells.push(flag.map_or(Cell::Null, Cell::Bool));
    }

    /// Adds a number, or `null`.
    pub(crate) fn number(&mut self, number: Option<u64>) {
        let number = number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        self.0.cells.push(number.map_or(Cell::Null, Cell::Int));
    }

    /// Adds a value of another document.
    pub(crate) fn copy(&mut self, value: Ref<'_>) {
        self.0.copy(value);
    }

    /// Adds what a deserializer gives, such as that of a [`serde_json::Value`].
    ///
    /// # Errors
    /// Those of the deserializer.
    pub(crate) fn read<'de, D: serde::Deserializer<'de>>(&mut self, value: D) -> Result<(), D::Error> {
        Fill(&mut self.0).deserialize(value)
    }

    /// Adds a list of what `fill` adds.
    pub(crate) fn list<E>(&mut self, fill: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (at, len) = self.within(fill)?;
        self.0.cells[at] = Cell::List { len, end: self.0.cells.len() as u32, line: 0 };
        Ok(())
    }

    /// Adds a map of the members that `fill` adds; no name twice.
    pub(crate) fn map<E>(&mut self, fill: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (at, len) = self.within(fill)?;
        self.0.cells[at] = Cell::Map { len: len / 2, end: self.0.cells.len() as u32, line: 0 };
        Ok(())
    }

    /// The place of a list or a map, and how many values were added within.
    fn within<E>(&mut self, fill: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(usize, u32), E> {
        let at = self.0.cells.len();
        self.0.cells.push(Cell::Null);
        fill(self)?;
        let (mut next, mut len) = (at + 1, 0);
        while let Some(cell) = self.0.cells.get(next) {
            next = match cell {
                Cell::List { end, .. } | Cell::Map { end, .. } => *end as usize,
                _ => next + 1,
            };
            len += 1;
        }
        Ok((at, len))
    }

    /// The document, whose value is the first that was added; `None` if it is larger than a document may be.
    pub(crate) fn finish(self) -> Option<Document> {
        let fits = |size: usize| u32::try_from(size).is_ok();
        let Builder { cells, text, .. } = self.0;
        (fits(cells.len()) && fits(text.len())).then_some(Document { cells, text })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_what_was_put_into_it() {
        let mut making = Making::new();
        let other = Document::from(&json!({ "b": [1, "x"], "a": null }));
        let made: Result<(), serde_json::Error> = making.list(|making| {
            making.map(|making| {
                making.member("name").text(Some("first"));
                making.member("list").list(|making| {
                    making.number(Some(7));
                    making.number(None);
                    making.text(None);
                    making.flag(Some(true));
                    making.list(|_| Ok(()))
                })?;
                making.member("read").read(&mut serde_json::Deserializer::from_str(r#"{"é\n":[{}, 1.5]}"#))
            })?;
            making.map(|making| {
                making.member("name").copy(other.root());
                making.member("none").map(|_| Ok(()))
            })?;
            making.text(Some("last"));
            Ok(())
        });
        made.unwrap();
        let made = making.finish().unwrap();
        let expected = json!([
            { "name": "first", "list": [7, null, null, true, []], "read": { "é\n": [{}, 1.5] } },
            { "name": { "a": null, "b": [1, "x"] }, "none": {} },
            "last",
        ]);
        assert_eq!(made.root().to_json(), expected);
        let second = made.root().items().nth(1).unwrap();
        assert_eq!(second.path(&["name", "b"]).unwrap().len(), 2, "what is behind a map is found");
        assert!(second.path(&["none"]).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let mut making = Making::new();
        assert!(making.read(&mut serde_json::Deserializer::from_str("{\"a\":")).is_err());
    }
}
