//! Reads a script as a tree of which every part knows where it begins and ends.
//!
//! Rhai's own tree knows where things begin, and of an operator only where the operator stands: not enough to put
//! something in the place of a part. *Law*: this reads only what Rhai has parsed already; where it does not understand a
//! text it says so, and a test compares both on every script that there is.

mod parse;
mod scan;

use std::ops::Range;

/// A script that was read.
#[derive(Debug)]
pub(super) struct Tree {
    /// In the order of the text.
    pub(super) functions: Vec<Function>,
    /// Statements outside of functions: constants.
    pub(super) top: Vec<Node>,
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// A block.
    pub(super) body: Node,
}

/// A part of a script.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Byte range in the text.
    pub(super) span: Range<usize>,
    /// Its parts, in the order of the text.
    pub(super) parts: Vec<Node>,
}

/// What a part of a script is, and where its operator or name stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `a && b`.
    And,
    /// `a || b`.
    Or,
    /// `!a`.
    Not,
    /// `a ?? b`.
    Coalesce,
    /// `==`, `!=`, `<` and so on; `in`.
    Compare(Range<usize>),
    /// Any other operator between two parts.
    Binary,
    /// `-a`, `+a`.
    Sign,
    /// `(a)`.
    Paren,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Any other number, a character, `()`.
    Constant,
    /// Text in quotes.
    Text,
    /// Text in backticks: its parts are blocks.
    Template,
    /// A variable.
    Name,
    /// `f(a)`.
    Call(String),
    /// `a.f(b)`: the first part is `a`.
    Method(String),
    /// `a.b`.
    Field,
    /// `a[b]`.
    Index,
    /// `[a, b]`.
    List,
    /// `#{ a: b }`: its parts are the values.
    Map,
    /// `|a| b`: its part is the body.
    Closure,
    /// `if a { b } else { c }`.
    If,
    /// `switch a { … }`: behind the first part, arms.
    Switch,
    /// An arm: patterns, perhaps a condition, and what is done. The condition is the part of that number.
    Arm(Option<usize>),
    /// `{ a; b }`.
    Block,
    /// `let a = b`, `const a = b`.
    Let,
    /// `a = b` and its like.
    Assign,
    /// `return a`.
    Return,
    /// `break`, `continue`, `throw`.
    Leave,
    /// `for x in a { b }`.
    For,
    /// `while a { b }`.
    While,
    /// `loop { a }`.
    Loop,
    /// `do { a } while b`.
    Do,
    /// `try { a } catch { b }`.
    Try,
}

impl Tree {
    /// Reads a text that Rhai has parsed; `None` if there is something in it that this does not know.
    pub(super) fn read(text: &str) -> Option<Self> {
        parse::Parser::new(text).script()
    }
}

impl Node {
    /// Itself without brackets around it.
    pub(super) fn bare(&self) -> &Node {
        match (&self.kind, self.parts.as_slice()) {
            (Kind::Paren, [inner]) => inner.bare(),
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(node: &Node, text: &str) -> String {
        let parts: Vec<String> = node.parts.iter().map(|part| sketch(part, text)).collect();
        let word = match &node.kind {
            Kind::Compare(op) => text[op.clone()].to_owned(),
            Kind::Name | Kind::Int | Kind::Text | Kind::Bool | Kind::Constant => text[node.span.clone()].to_owned(),
            Kind::Call(name) | Kind::Method(name) => name.clone(),
            other => format!("{other:?}"),
        };
        if parts.is_empty() { word } else { format!("({word} {})", parts.join(" ")) }
    }

    fn of(text: &str) -> String {
        let whole = format!("fn f(a) {{ {text} }}");
        let tree = Tree::read(&whole).unwrap_or_else(|| panic!("not read: {text}"));
        let body = &tree.functions[0].body;
        body.parts.iter().map(|part| sketch(part, &whole)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn operators_bind_as_rhai_binds_them() {
        for (text, tree) in [
            ("a || b && c == d", "(Or a (And b (== c d)))"),
            ("!a.b && -c < d + e * f", "(And (Not (Field a)) (< (Sign c) (Binary d (Binary e f))))"),
            ("a ?? b == c", "(== (Coalesce a b) c)"),
            ("x in [1, \"]\"] && y !in z", "(And (in x (List 1 \"]\")) (!in y z))"),
            ("a.b(c).d[e.f()]?.g", "(Field (Index (Field (b a c)) (f e)))"),
            ("f(|x, y| x > y && z, || 1)", "(f (Closure (And (> x y) z)) (Closure 1))"),
            ("`a ${b + `c ${d}`} e`", "(Template (Block (Binary b (Template (Block d)))))"),
            ("2 ** 3 ** 4", "(Binary 2 (Binary 3 4))"),
            ("(a || b) && !(c)", "(And (Paren (Or a b)) (Not (Paren c)))"),
            ("#{ a: 1, \"b c\": [x] }.a", "(Field (Map 1 (List x)))"),
            ("0..10", "(Binary 0 10)"),
            ("'x' == 1.5e3", "(== 'x' 1.5e3)"),
        ] {
            assert_eq!(of(text), tree, "{text}");
        }
    }

    #[test]
    fn a_part_ends_where_its_last_letter_is() {
        let text = "fn f(a) { let x = a.b // not c\n && (d /* e */) ; g( x ) /* h */ }";
        let tree = Tree::read(text).unwrap();
        let mut spans = Vec::new();
        fn walk<'t>(node: &Node, text: &'t str, spans: &mut Vec<&'t str>) {
            spans.push(&text[node.span.clone()]);
            node.parts.iter().for_each(|part| walk(part, text, spans));
        }
        walk(&tree.functions[0].body, text, &mut spans);
        assert_eq!(spans[1], "let x = a.b // not c\n && (d /* e */)");
        for part in ["a.b", "a", "(d /* e */)", "d", "g( x )", "x"] {
            assert!(spans.contains(&part), "{part}: {spans:?}");
        }
    }

    #[test]
    fn statements_are_read() {
        for (text, tree) in [
            ("let x = 1; // c }\n x += 2; /* } /* */ */ return x;", "(Let 1); (Assign x 2); (Return x)"),
            ("if a { return; } else if b { 1 } else { 2 } c", "(If a (Block Return) (If b (Block 1) (Block 2))); c"),
            ("for (x, i) in y { if x { continue; } z(x) }", "(For y (Block (If x (Block Leave)) (z x)))"),
            (
                "switch a { 1 | 2 => b, \"x\" if c => { d } _ => e }",
                "(Switch a (Arm(None) 1 2 b) (Arm(Some(1)) \"x\" c (Block d)) (Arm(None) e))",
            ),
            (
                "let v = if a { 1 } else { 2 }; try { v } catch (e) { throw e }",
                "(Let (If a (Block 1) (Block 2))); (Try (Block v) (Block (Leave e)))",
            ),
            (
                "while a { break 5; } loop { b } do { c } while d; ()",
                "(While a (Block (Leave 5))); (Loop (Block b)); (Do (Block c) d); ()",
            ),
        ] {
            assert_eq!(of(text), tree, "{text}");
        }
    }
}
