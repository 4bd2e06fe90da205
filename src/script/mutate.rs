//! Changes that give a script another meaning, one at a time: a test that notices none of them tests little.
//!
//! What cannot matter is left out where that is cheap to see: what is printed or thrown, and changes that give the same
//! text twice.

use std::collections::BTreeSet;
use std::ops::Range;

use super::parts::{Kind, Node, Tree};

/// A change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Byte range of what goes.
    pub span: Range<usize>,
    /// Byte range of what it is about, within that.
    pub about: Range<usize>,
    /// What comes in its place.
    pub put: String,
    /// What it does, in a few words.
    pub what: String,
}

impl Edit {
    /// The text with the change.
    pub fn applied(&self, text: &str) -> String {
        format!("{}{}{}", &text[..self.span.start], self.put, &text[self.span.end..])
    }
}

/// Every change of a script, in the order of the text; `None` if the text is not understood.
pub fn edits(text: &str) -> Option<Vec<Edit>> {
    let tree = Tree::read(text)?;
    let mut maker = Maker { text, out: Vec::new() };
    for constant in &tree.top {
        maker.node(constant);
    }
    for function in &tree.functions {
        maker.node(&function.body);
    }
    let mut edits = maker.out;
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut seen = BTreeSet::new();
    edits.retain(|edit| {
        edit.put != text[edit.span.clone()] && seen.insert((edit.span.start, edit.span.end, edit.put.clone()))
    });
    Some(edits)
}

struct Maker<'t> {
    text: &'t str,
    out: Vec<Edit>,
}

impl Maker<'_> {
    fn of(&self, node: &Node) -> &str {
        &self.text[node.span.clone()]
    }

    fn put(&mut self, span: &Range<usize>, put: impl Into<String>, what: impl Into<String>) {
        self.out.push(Edit { span: span.clone(), about: span.clone(), put: put.into(), what: what.into() });
    }

    /// The last change is about a part of what goes.
    fn about(&mut self, part: &Range<usize>) {
        if let Some(edit) = self.out.last_mut() {
            edit.about = part.clone();
        }
    }

    fn node(&mut self, node: &Node) {
        match (&node.kind, node.parts.as_slice()) {
            (Kind::Call(name), _) if matches!(name.as_str(), "print" | "debug") => return,
            (Kind::Leave, _) if self.of(node).starts_with("throw") => return,
            (Kind::And | Kind::Or | Kind::Coalesce, [left, right]) => self.drops(node, left, right),
            (Kind::Not, [inner]) => {
                let inner = self.of(inner).to_owned();
                self.put(&node.span, inner, "`!` is gone");
            }
            (Kind::Compare(op), _) => self.compares(op),
            (Kind::Bool, _) => {
                let other = if self.of(node) == "true" { "false" } else { "true" };
                self.put(&node.span, other, format!("it is `{other}`"));
            }
            (Kind::Int, _) => self.numbers(node),
            (Kind::Text, _) => self.texts(node),
            (Kind::Method(name), _) => self.methods(node, name),
            (Kind::List, items) => self.items(node, items),
            (Kind::If | Kind::While, [condition, ..]) => self.condition(condition),
            (Kind::Arm(Some(at)), parts) => {
                if let Some(condition) = parts.get(*at) {
                    self.condition(condition);
                }
            }
            (Kind::Block, statements) => self.returns(statements),
            _ => {}
        }
        for part in &node.parts {
            self.node(part);
        }
    }

    /// One of two parts goes.
    fn drops(&mut self, node: &Node, left: &Node, right: &Node) {
        let (first, second) = (left.span.clone(), right.span.clone());
        let (left, right) = (self.of(left).to_owned(), self.of(right).to_owned());
        let short = |text: &str| crate::fault::printable(&text.split_whitespace().collect::<Vec<_>>().join(" "), 60);
        let (no_left, no_right) = (format!("`{}` is gone", short(&left)), format!("`{}` is gone", short(&right)));
        // In brackets: what is left must bind as it did.
        self.put(&node.span, format!("({right})"), no_left);
        self.about(&first);
        self.put(&node.span, format!("({left})"), no_right);
        self.about(&second);
    }

    fn compares(&mut self, op: &Range<usize>) {
        let others: &[&str] = match &self.text[op.clone()] {
            "==" => &["!="],
            "!=" => &["=="],
            "<" => &["<=", ">="],
            "<=" => &["<", ">"],
            ">" => &[">=", "<="],
            ">=" => &[">", "<"],
            "in" => &["!in"],
            "!in" => &["in"],
            _ => &[],
        };
        for other in others {
            self.put(op, *other, format!("`{}` is `{other}`", &self.text[op.clone()]));
        }
    }

    fn numbers(&mut self, node: &Node) {
        let Ok(number) = self.of(node).replace('_', "").parse::<i64>() else { return };
        for other in [number.checked_add(1), number.checked_sub(1).filter(|_| number > 0)].into_iter().flatten() {
            self.put(&node.span, other.to_string(), format!("`{number}` is `{other}`"));
        }
    }

    /// Another text, in the same quotes.
    fn texts(&mut self, node: &Node) {
        let text = self.of(node);
        let close = text.rfind('"').unwrap_or(text.len());
        let put = format!("{}~{}", &text[..close], &text[close..]);
        let what = format!("`{}` is another text", crate::fault::printable(text, 60));
        self.put(&node.span, put, what);
    }

    /// A member of a list goes.
    fn items(&mut self, node: &Node, items: &[Node]) {
        if items.len() < 2 {
            return;
        }
        for (at, item) in items.iter().enumerate() {
            let kept: Vec<&str> =
                items.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, item)| self.of(item)).collect();
            let (put, what) = (
                format!("[{}]", kept.join(", ")),
                format!("`{}` is not in the list", crate::fault::printable(self.of(item), 60)),
            );
            self.put(&node.span, put, what);
            self.about(&item.span);
        }
    }

    /// A method that asks the same of one instead of all, or at the other end.
    fn methods(&mut self, node: &Node, name: &str) {
        const PAIRS: [(&str, &str); 2] = [("some", "all"), ("starts_with", "ends_with")];
        let mut others = PAIRS.iter().flat_map(|(one, other)| [(one, other), (other, one)]);
        let Some((_, other)) = others.find(|(known, _)| **known == name) else { return };
        let Some(from) = node.parts.first().map(|receiver| receiver.span.end) else { return };
        if let Some(at) = self.text[from..node.span.end].find(name).map(|at| from + at) {
            self.put(&(at..at + name.len()), *other, format!("`{name}` is `{other}`"));
        }
    }

    fn condition(&mut self, condition: &Node) {
        // What is negated loses its `!` already, and a comparison has its opposite.
        let has_opposite = matches!(condition.bare().kind, Kind::Not | Kind::Bool)
            || matches!(&condition.bare().kind, Kind::Compare(op) if matches!(&self.text[op.clone()], "==" | "!=" | "in" | "!in"));
        if !has_opposite {
            let put = format!("!({})", self.of(condition));
            self.put(&condition.span, put, "the condition is the opposite");
        }
    }

    /// An early return goes: all but the last statement of a function, where it would be the answer all the same.
    fn returns(&mut self, statements: &[Node]) {
        for statement in statements {
            let is_early = statement.kind == Kind::Return
                || (statement.kind == Kind::Leave && !self.of(statement).starts_with("throw"));
            if is_early {
                let what = format!("`{}` is gone", crate::fault::printable(self.of(statement), 60));
                self.put(&statement.span, "", what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_change_is_made() {
        let text = r#"const N = 3;
fn matches(event) {
    print("x" + 1);
    if event.a == "b" || !f(event) { return false; }
    [1, 2].contains(event.n ?? 0) && event.n < N
    && event.l.some(|x| x.starts_with("y"))
}"#;
        let made: Vec<String> = edits(text)
            .unwrap()
            .iter()
            .map(|edit| {
                edit.applied(text)
                    .lines()
                    .zip(text.lines())
                    .filter(|(a, b)| a != b)
                    .map(|(a, _)| a.trim().to_owned())
                    .collect()
            })
            .collect();
        for wanted in [
            "const N = 4;",
            "const N = 2;",
            "if (!f(event)) { return false; }",
            "if (event.a == \"b\") { return false; }",
            "if event.a != \"b\" || !f(event) { return false; }",
            "if event.a == \"b~\" || !f(event) { return false; }",
            "if event.a == \"b\" || f(event) { return false; }",
            "if !(event.a == \"b\" || !f(event)) { return false; }",
            "if event.a == \"b\" || !f(event) { return true; }",
            "if event.a == \"b\" || !f(event) { ; }",
            "[2].contains(event.n ?? 0) && event.n < N",
            "[1, 2].contains((event.n)) && event.n < N",
            "[1, 2].contains((0)) && event.n < N",
            "([1, 2].contains(event.n ?? 0))",
            "(event.n < N)",
            "[1, 2].contains(event.n ?? 0) && event.n <= N",
            "[1, 2].contains(event.n ?? 0) && event.n >= N",
        ] {
            assert!(made.iter().any(|line| line == wanted), "{wanted}: {made:#?}");
        }
        assert!(made.iter().all(|line| !line.contains("print")), "{made:#?}");
        let mut parser = super::super::sandbox::parser(&crate::script::Limits::default());
        parser.set_max_expr_depths(300, 300);
        for edit in edits(text).unwrap() {
            assert!(parser.compile(edit.applied(text)).is_ok(), "{edit:?}");
        }
    }
}
