//! Answers which fields a kind of record can have, from schemas/.
