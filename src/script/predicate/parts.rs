//! What is known of an expression without a record: what it is made of, and whether it may fail.

use super::{Expr, Literal};

/// The parts of an expression, to be looked at or changed; `$one` makes a slice of one.
macro_rules! parts {
    ($expr:expr, $one:path, $($change:tt)?) => {
        match $expr {
            Expr::Unknown(_) | Expr::Literal(_) | Expr::Path(_) | Expr::Item(_) | Expr::Place(_) => & $($change)? [],
            Expr::Member(inner, _)
            | Expr::Not(inner)
            | Expr::OneOf(inner, _)
            | Expr::Listed(inner)
            | Expr::Find(inner, _)
            | Expr::Matches(inner, _) => $one(inner),
            Expr::LookUp(look_up) => $one(& $($change)? look_up.value),
            Expr::All(parts)
            | Expr::Any(parts)
            | Expr::Coalesce(parts)
            | Expr::Call(_, parts)
            | Expr::Join(parts)
            | Expr::List(parts)
            | Expr::Map(_, parts)
            | Expr::Loop(parts, _)
            | Expr::While(parts, _)
            | Expr::Next(parts, _) => parts,
            Expr::If(parts) => & $($change)? **parts,
            Expr::Equal(sides)
            | Expr::Reckon(_, sides)
            | Expr::Order(_, sides)
            | Expr::Text(_, sides)
            | Expr::Each(sides, ..)
            | Expr::Pick(sides, ..)
            | Expr::Bracket(sides)
            | Expr::At(sides)
            | Expr::Grown(sides)
            | Expr::Range(sides, _)
            | Expr::After(sides) => & $($change)? **sides,
        }
    };
}

impl Expr {
    /// Whether it is evaluated by evaluating the other before all else, and is not known where the other is not.
    pub(in crate::script) fn begins_with(&self, other: &Self) -> bool {
        self == other || self.parts().first().is_some_and(|first| first.begins_with(other))
    }

    /// True if it cannot fail, and is known of every whole record, whatever Rhai makes of it.
    pub(in crate::script) fn is_safe(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Path(_) | Self::Item(_) | Self::Place(_) => true,
            Self::Member(inner, _) => inner.is_safe(),
            Self::Equal(sides) | Self::Text(_, sides) => sides.iter().all(Self::is_safe),
            // Two lists are in no order.
            Self::Order(_, sides) => {
                sides.iter().all(Self::is_safe) && sides.iter().any(|side| matches!(side, Self::Literal(_)))
            }
            Self::OneOf(inner, _) | Self::Matches(inner, _) | Self::Find(inner, _) => inner.is_safe(),
            Self::Coalesce(args) => args.iter().all(Self::is_safe),
            Self::Call(function, args) => !function.makes && args.iter().all(Self::is_safe),
            Self::Not(inner) => inner.is_flag() && inner.is_safe(),
            Self::All(parts) | Self::Any(parts) => parts.iter().all(|part| part.is_flag() && part.is_safe()),
            Self::If(parts) => parts[0].is_flag() && parts.iter().all(Self::is_safe),
            // Text may become too long, and a number too large.
            Self::Join(_) | Self::Reckon(..) => false,
            Self::Each(..)
            | Self::Pick(..)
            | Self::Listed(_)
            | Self::List(_)
            | Self::Map(..)
            | Self::Grown(_)
            | Self::Loop(..)
            | Self::While(..)
            | Self::Range(..)
            | Self::Next(..)
            | Self::Bracket(_)
            | Self::At(..)
            | Self::After(_)
            | Self::LookUp(_)
            | Self::Unknown(_) => false,
        }
    }

    /// True if it is a boolean, whenever it is anything.
    fn is_flag(&self) -> bool {
        match self {
            Self::Literal(Literal::Bool(_))
            | Self::Not(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Equal(_)
            | Self::Order(..)
            | Self::Text(..)
            | Self::OneOf(..)
            | Self::Each(..)
            | Self::Matches(..) => true,
            Self::If(parts) => parts[1].is_flag() && parts[2].is_flag(),
            Self::After(parts) => parts[1].is_flag(),
            _ => false,
        }
    }

    /// True if it may be what no expression is, such as a closure.
    pub(in crate::script) fn may_be_anything(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::If(parts) => parts[1].may_be_anything() || parts[2].may_be_anything(),
            Self::Coalesce(parts) => parts.iter().any(Self::may_be_anything),
            Self::After(parts) => parts[1].may_be_anything(),
            Self::List(parts)
            | Self::Map(_, parts)
            | Self::Loop(parts, _)
            | Self::While(parts, _)
            | Self::Next(parts, _) => parts.iter().any(Self::may_be_anything),
            Self::Pick(parts, ..) | Self::Grown(parts) => parts.iter().any(Self::may_be_anything),
            _ => false,
        }
    }

    /// How many expressions it is made of.
    pub(in crate::script) fn size(&self) -> usize {
        1 + self.parts().iter().map(Self::size).sum::<usize>()
    }

    /// How many paths are numbered up to the last that it names.
    pub(super) fn paths(&self) -> usize {
        let own = if let Self::Path(number) = self { number + 1 } else { 0 };
        self.parts().iter().map(Self::paths).fold(own, usize::max)
    }

    /// Gives the paths that it names other numbers.
    pub(super) fn renumber(&mut self, change: &mut impl FnMut(usize) -> usize) {
        if let Self::Path(number) = self {
            *number = change(*number);
        }
        self.parts_mut().iter_mut().for_each(|part| part.renumber(change));
    }

    fn parts_mut(&mut self) -> &mut [Self] {
        parts!(self, std::slice::from_mut, mut)
    }

    /// The expressions that it is made of, in the order in which they are evaluated, as far as they are.
    pub(super) fn parts(&self) -> &[Self] {
        parts!(self, std::slice::from_ref,)
    }
}
