//! Values as bytes, and entries that are read one by one.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::error::Error;
use crate::spill::damaged;

/// Bytes that grow. Texts are copied whole, which the library's own way to append does byte by byte.
struct Bytes<'v>(&'v mut Vec<u8>);

impl Flavor for Bytes<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends a value to bytes; of one that cannot be stored, perhaps a part.
pub(super) fn put(value: &impl Serialize, into: &mut Vec<u8>) -> Result<(), Error> {
    postcard::serialize_with_flavor(value, Bytes(into))
        .map_err(|error| Error::new(format!("cannot be stored: {error}")))
}

/// Takes a value from the head of bytes.
pub(super) fn take<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), Error> {
    postcard::take_from_bytes(bytes).map_err(|_| damaged())
}

/// The place that is the key of an entry.
pub(super) fn place(key: &[u8]) -> Result<Place, Error> {
    Ok(Place::of_key(key.try_into().map_err(|_| damaged())?))
}

/// Goes on until there is nothing, or an error.
pub(super) fn each<T>(mut next: impl FnMut() -> Result<Option<T>, Error>) -> impl Iterator<Item = Result<T, Error>> {
    let mut goes_on = true;
    std::iter::from_fn(move || {
        let given = if goes_on { next().transpose() } else { None };
        goes_on = matches!(given, Some(Ok(_)));
        given
    })
}
