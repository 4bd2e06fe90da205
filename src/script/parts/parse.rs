//! Reads expressions and statements, as Rhai's grammar has them.

use super::scan::Scanner;
use super::{Function, Kind, Node, Tree};

/// Reads a script from its beginning to its end.
pub(super) struct Parser<'t> {
    scan: Scanner<'t>,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { scan: Scanner::new(text) }
    }

    pub(super) fn script(mut self) -> Option<Tree> {
        let mut tree = Tree { functions: Vec::new(), top: Vec::new() };
        loop {
            self.scan.blanks();
            if self.scan.rest().is_empty() {
                return Some(tree);
            }
            if self.scan.take(";") {
                continue;
            }
            self.scan.take_word("private");
            if self.scan.take_word("fn") {
                tree.functions.push(self.function()?);
            } else {
                tree.top.push(self.statement()?);
            }
        }
    }

    fn function(&mut self) -> Option<Function> {
        let name = self.take_any_word()?.to_owned();
        self.expect("(")?;
        while !self.scan.take(")") {
            self.take_any_word()?;
            self.scan.take(",");
        }
        Some(Function { name, body: self.block()? })
    }

    fn expect(&mut self, signs: &str) -> Option<()> {
        self.scan.take(signs).then_some(())
    }

    fn take_any_word(&mut self) -> Option<&'t str> {
        let word = self.scan.word()?;
        self.scan.at += word.len();
        Some(word)
    }

    fn start(&mut self) -> usize {
        self.scan.blanks();
        self.scan.at
    }

    fn node(&self, kind: Kind, start: usize, parts: Vec<Node>) -> Node {
        Node { kind, span: start..self.scan.end(), parts }
    }

    fn block(&mut self) -> Option<Node> {
        let start = self.start();
        self.expect("{")?;
        let mut parts = Vec::new();
        loop {
            if self.scan.take("}") {
                return Some(self.node(Kind::Block, start, parts));
            }
            if !self.scan.take(";") {
                parts.push(self.statement()?);
            }
        }
    }

    /// A statement without the `;` behind it.
    fn statement(&mut self) -> Option<Node> {
        let start = self.start();
        match self.scan.word() {
            Some("let" | "const") => {
                self.take_any_word()?;
                self.take_any_word()?;
                let value = if self.scan.assigning() { vec![self.expression(0)?] } else { Vec::new() };
                Some(self.node(Kind::Let, start, value))
            }
            Some("return") => {
                self.take_any_word()?;
                let value = self.optional()?;
                Some(self.node(Kind::Return, start, value))
            }
            Some("break" | "continue" | "throw") => {
                self.take_any_word()?;
                let value = self.optional()?;
                Some(self.node(Kind::Leave, start, value))
            }
            Some("try") => {
                self.take_any_word()?;
                let mut parts = vec![self.block()?];
                self.scan.take_word("catch").then_some(())?;
                if self.scan.take("(") {
                    self.take_any_word()?;
                    self.expect(")")?;
                }
                parts.push(self.block()?);
                Some(self.node(Kind::Try, start, parts))
            }
            Some("if" | "switch" | "for" | "while" | "loop" | "do") => self.flow(),
            _ if self.scan.rest().starts_with('{') => self.block(),
            _ => {
                let left = self.expression(0)?;
                if !self.scan.assigning() {
                    return Some(left);
                }
                let right = self.expression(0)?;
                Some(self.node(Kind::Assign, start, vec![left, right]))
            }
        }
    }

    /// A value, if one stands before the end of a statement.
    fn optional(&mut self) -> Option<Vec<Node>> {
        self.scan.blanks();
        let ends = self.scan.rest().is_empty() || self.scan.rest().starts_with([';', '}', ',']);
        if ends { Some(Vec::new()) } else { Some(vec![self.expression(0)?]) }
    }

    /// What begins with a word and holds blocks.
    fn flow(&mut self) -> Option<Node> {
        let start = self.start();
        match self.take_any_word()? {
            "if" => {
                let mut parts = vec![self.expression(0)?, self.block()?];
                if self.scan.take_word("else") {
                    parts.push(if self.scan.word() == Some("if") { self.flow()? } else { self.block()? });
                }
                Some(self.node(Kind::If, start, parts))
            }
            "switch" => {
                let mut parts = vec![self.expression(0)?];
                self.expect("{")?;
                while !self.scan.take("}") {
                    parts.push(self.arm()?);
                    self.scan.take(",");
                }
                Some(self.node(Kind::Switch, start, parts))
            }
            "for" => {
                if self.scan.take("(") {
                    while !self.scan.take(")") {
                        self.take_any_word()?;
                        self.scan.take(",");
                    }
                } else {
                    self.take_any_word()?;
                }
                self.scan.take_word("in").then_some(())?;
                let parts = vec![self.expression(0)?, self.block()?];
                Some(self.node(Kind::For, start, parts))
            }
            "while" => {
                let parts = vec![self.expression(0)?, self.block()?];
                Some(self.node(Kind::While, start, parts))
            }
            "loop" => {
                let parts = vec![self.block()?];
                Some(self.node(Kind::Loop, start, parts))
            }
            "do" => {
                let block = self.block()?;
                (self.scan.take_word("while") || self.scan.take_word("until")).then_some(())?;
                let parts = vec![block, self.expression(0)?];
                Some(self.node(Kind::Do, start, parts))
            }
            _ => None,
        }
    }

    fn arm(&mut self) -> Option<Node> {
        let start = self.start();
        let mut parts = Vec::new();
        if self.scan.word() == Some("_") {
            self.take_any_word()?;
        } else {
            parts.push(self.expression(31)?);
            while self.scan.take("|") {
                parts.push(self.expression(31)?);
            }
        }
        let mut condition = None;
        if self.scan.take_word("if") {
            condition = Some(parts.len());
            parts.push(self.expression(0)?);
        }
        self.expect("=>")?;
        parts.push(self.statement()?);
        Some(self.node(Kind::Arm(condition), start, parts))
    }

    /// An expression of operators that bind at least so much.
    fn expression(&mut self, least: u8) -> Option<Node> {
        let start = self.start();
        let mut left = self.unary()?;
        while let Some((sign, binds)) = self.scan.binary() {
            if binds < least.max(1) {
                break;
            }
            let at = self.scan.at;
            self.scan.at += sign.len();
            let right = self.expression(if sign == "**" { binds } else { binds + 1 })?;
            let kind = match sign {
                "&&" => Kind::And,
                "||" => Kind::Or,
                "??" => Kind::Coalesce,
                "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "!in" => Kind::Compare(at..at + sign.len()),
                _ => Kind::Binary,
            };
            left = self.node(kind, start, vec![left, right]);
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Node> {
        let start = self.start();
        let kind = match self.scan.rest().chars().next()? {
            '!' => Kind::Not,
            '-' | '+' => Kind::Sign,
            _ => return self.postfix(),
        };
        self.scan.at += 1;
        let part = self.unary()?;
        Some(self.node(kind, start, vec![part]))
    }

    /// What stands by itself, with what follows it: members, calls, indexes.
    fn postfix(&mut self) -> Option<Node> {
        let start = self.start();
        let mut node = self.primary()?;
        loop {
            let rest = self.scan.rest();
            let ahead = rest.trim_start();
            let is_range = ahead.starts_with("..");
            if rest.starts_with('[') || rest.starts_with("?[") {
                self.scan.at += rest.find('[')? + 1;
                let index = self.expression(0)?;
                self.expect("]")?;
                node = self.node(Kind::Index, start, vec![node, index]);
                continue;
            }
            self.scan.blanks();
            let rest = self.scan.rest();
            if is_range || !(rest.starts_with('.') && !rest.starts_with("..") || rest.starts_with("?.")) {
                return Some(node);
            }
            self.scan.at += rest.find('.')? + 1;
            let name = self.take_any_word()?.to_owned();
            if self.scan.rest().starts_with('(') {
                let mut parts = vec![node];
                parts.extend(self.arguments()?);
                node = self.node(Kind::Method(name), start, parts);
            } else {
                node = self.node(Kind::Field, start, vec![node]);
            }
        }
    }

    fn arguments(&mut self) -> Option<Vec<Node>> {
        self.expect("(")?;
        self.list(")")
    }

    fn list(&mut self, close: &str) -> Option<Vec<Node>> {
        let mut parts = Vec::new();
        while !self.scan.take(close) {
            parts.push(self.expression(0)?);
            if !self.scan.take(",") {
                self.expect(close)?;
                return Some(parts);
            }
        }
        Some(parts)
    }

    fn primary(&mut self) -> Option<Node> {
        let start = self.start();
        let first = self.scan.rest().chars().next()?;
        match first {
            '"' => {
                let span = self.scan.quoted('"')?;
                Some(Node { kind: Kind::Text, span, parts: Vec::new() })
            }
            '\'' => {
                let span = self.scan.quoted('\'')?;
                Some(Node { kind: Kind::Constant, span, parts: Vec::new() })
            }
            '`' => self.template(),
            '#' if self.scan.rest().starts_with("#{") => self.map(),
            '#' => {
                let span = self.scan.raw_text()?;
                Some(Node { kind: Kind::Text, span, parts: Vec::new() })
            }
            '(' => {
                self.scan.at += 1;
                if self.scan.take(")") {
                    return Some(self.node(Kind::Constant, start, Vec::new()));
                }
                let inner = self.expression(0)?;
                self.expect(")")?;
                Some(self.node(Kind::Paren, start, vec![inner]))
            }
            '[' => {
                self.scan.at += 1;
                let parts = self.list("]")?;
                Some(self.node(Kind::List, start, parts))
            }
            '{' => self.block(),
            '|' => self.closure(),
            '0'..='9' => {
                let kind = if self.scan.number() { Kind::Int } else { Kind::Constant };
                Some(self.node(kind, start, Vec::new()))
            }
            _ => self.named(),
        }
    }

    fn named(&mut self) -> Option<Node> {
        let start = self.start();
        let word = self.scan.word()?;
        if ["if", "switch", "for", "while", "loop", "do"].contains(&word) {
            return self.flow();
        }
        self.scan.at += word.len();
        let kind = match word {
            "true" | "false" => Kind::Bool,
            _ => Kind::Name,
        };
        let mut name = word.to_owned();
        while self.scan.rest().starts_with("::") {
            self.scan.at += 2;
            name = self.take_any_word()?.to_owned();
        }
        if kind == Kind::Name && self.scan.rest().starts_with('(') {
            let parts = self.arguments()?;
            return Some(self.node(Kind::Call(name), start, parts));
        }
        Some(self.node(kind, start, Vec::new()))
    }

    fn map(&mut self) -> Option<Node> {
        let start = self.start();
        self.scan.at += 2;
        let mut parts = Vec::new();
        while !self.scan.take("}") {
            self.scan.blanks();
            if self.scan.rest().starts_with('"') {
                self.scan.quoted('"')?;
            } else {
                self.take_any_word()?;
            }
            self.expect(":")?;
            parts.push(self.expression(0)?);
            self.scan.take(",");
        }
        Some(self.node(Kind::Map, start, parts))
    }

    fn closure(&mut self) -> Option<Node> {
        let start = self.start();
        self.scan.at += 1;
        while !self.scan.take("|") {
            self.take_any_word()?;
            self.scan.take(",");
        }
        let body = self.statement()?;
        Some(self.node(Kind::Closure, start, vec![body]))
    }

    fn template(&mut self) -> Option<Node> {
        let start = self.start();
        self.scan.at += 1;
        let mut parts = Vec::new();
        loop {
            let rest = self.scan.rest();
            let stop = rest.find(['`', '$'])?;
            self.scan.at += stop;
            let rest = &rest[stop..];
            if rest.starts_with("``") {
                self.scan.at += 2;
            } else if rest.starts_with('`') {
                self.scan.at += 1;
                return Some(self.node(Kind::Template, start, parts));
            } else if rest.starts_with("${") {
                self.scan.at += 1;
                parts.push(self.block()?);
            } else {
                self.scan.at += 1;
            }
        }
    }
}
