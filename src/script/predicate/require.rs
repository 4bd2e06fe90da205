//! What must be so for an expression to be true, as far as an index can use it: fields and the texts they must hold.

use super::{Expr, Literal};

impl Expr {
    /// Adds the conditions on texts without which it cannot be `wanted`.
    pub(super) fn require<'e>(&'e self, wanted: bool, conditions: &mut Vec<(usize, Vec<&'e str>)>) {
        match self {
            Self::Not(inner) => inner.require(!wanted, conditions),
            Self::All(parts) if wanted => parts.iter().for_each(|part| part.require(true, conditions)),
            Self::Any(parts) if !wanted => parts.iter().for_each(|part| part.require(false, conditions)),
            // One of them holds: only a path that all of them restrict is restricted, to what any of them allows.
            Self::All(parts) | Self::Any(parts) => {
                // A part that is never as wanted allows nothing.
                let is_never =
                    |part: &&Expr| matches!(part, Self::Literal(literal) if *literal != Literal::Bool(wanted));
                let mut each = parts.iter().filter(|part| !is_never(part)).map(|part| {
                    let mut own = Vec::new();
                    part.require(wanted, &mut own);
                    own
                });
                conditions.extend(each.next().map(|first| each.fold(first, either)).unwrap_or_default());
            }
            Self::If(parts) => {
                let [condition, yes, no] = &**parts;
                let branch = |flag: bool, value: &'e Expr| {
                    let mut own = Vec::new();
                    condition.require(flag, &mut own);
                    value.require(wanted, &mut own);
                    own
                };
                let is_never =
                    |value: &Expr| matches!(value, Self::Literal(literal) if *literal != Literal::Bool(wanted));
                if is_never(yes) {
                    conditions.extend(branch(false, no));
                } else if is_never(no) {
                    conditions.extend(branch(true, yes));
                } else {
                    conditions.extend(either(branch(true, yes), branch(false, no)));
                }
            }
            Self::After(parts) => parts[1].require(wanted, conditions),
            Self::Equal(sides) if wanted => match &**sides {
                [Self::Path(path), Self::Literal(Literal::Text(text))]
                | [Self::Literal(Literal::Text(text)), Self::Path(path)] => conditions.push((*path, vec![text])),
                _ => {}
            },
            Self::OneOf(inner, literals) if wanted => {
                let texts: Option<Vec<&str>> = literals
                    .iter()
                    .map(|literal| match literal {
                        Literal::Text(text) => Some(&**text),
                        _ => None,
                    })
                    .collect();
                if let (Self::Path(path), Some(texts)) = (&**inner, texts) {
                    conditions.push((*path, texts));
                }
            }
            _ => {}
        }
    }
}

/// What holds if one of two lists of conditions holds.
fn either<'e>(a: Vec<(usize, Vec<&'e str>)>, b: Vec<(usize, Vec<&'e str>)>) -> Vec<(usize, Vec<&'e str>)> {
    let mut both = Vec::new();
    for (path, texts) in a {
        for (_, others) in b.iter().filter(|(other, _)| *other == path) {
            let mut texts = texts.clone();
            texts.extend(others.iter().filter(|text| !texts.contains(text)).copied().collect::<Vec<_>>());
            both.push((path, texts));
        }
    }
    both
}
