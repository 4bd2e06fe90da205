//! A script as a tree of Lawbook's own, with the place of every part: what is read without knowing Rhai.
//!
//! It says what was written, before any optimiser: methods are calls whose receiver is the first argument, closures stand
//! where they were written and see the variables around them, paths are steps from their root.

mod convert;
mod tokens;

use std::ops::Range;

use serde_json::Value;

pub(super) use self::convert::convert;
pub(crate) use self::tokens::Tokens;

/// Bytes of a file.
pub type Span = Range<usize>;

/// The functions and constants of one file.
#[derive(Debug, Default)]
pub struct Tree {
    /// In the order of the text.
    pub functions: Vec<Function>,
    /// Top-level constants: name, place of the name, value.
    pub constants: Vec<(String, Span, Value)>,
}

/// A function of a file.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its name stands in its definition.
    pub span: Span,
    /// The names of its parameters.
    pub params: Vec<String>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A statement and where it stands.
#[derive(Debug)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// From its first token to the end of what is known of it.
    pub span: Span,
}

/// What a statement does.
#[derive(Debug)]
pub enum StmtKind {
    /// `let` and `const`: the name, its place, the value.
    Let(String, Span, Expr),
    /// The target, whether it is an operation (`+=`), the value.
    Assign(Expr, bool, Expr),
    /// An expression for its value or its effect.
    Expr(Expr),
    /// `return`.
    Return(Option<Expr>),
    /// `throw`.
    Throw(Option<Expr>),
    /// `break` and `continue`.
    Leave(Option<Expr>),
    /// `if`, `else`.
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `switch`.
    Switch(Expr, Vec<Arm>),
    /// `while`, `do`, and `loop`, which has no condition.
    While(Option<Expr>, Vec<Stmt>),
    /// `for`: the variables, the list, the body.
    For(Vec<String>, Expr, Vec<Stmt>),
    /// A block.
    Block(Vec<Stmt>),
    /// `try`, the variable of `catch`, and its block.
    Try(Vec<Stmt>, Option<String>, Vec<Stmt>),
}

/// A case of a `switch`.
#[derive(Debug)]
pub struct Arm {
    /// The literals it is for; empty for `_`, and for ranges, which `ranges` tells.
    pub values: Vec<Value>,
    /// True if it is for a range of numbers.
    pub ranges: bool,
    /// The condition after `if`.
    pub guard: Option<Expr>,
    /// What it comes to.
    pub body: Expr,
}

/// An expression and where it stands.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// From its first token to its last.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug)]
pub enum Kind {
    /// A literal; `()` is null.
    Literal(Value),
    /// A list.
    List(Vec<Expr>),
    /// A map: key and value.
    Map(Vec<(String, Expr)>),
    /// Text with parts that are filled in.
    Interpolated(Vec<Expr>),
    /// A variable, or `this`.
    Variable(String),
    /// A pointer to a function by its name.
    Pointer(String),
    /// A step by name: `a.b`, `a?.b`.
    Field(Box<Expr>, String),
    /// A step in brackets.
    Index(Box<Expr>, Box<Expr>),
    /// A call.
    Call(Call),
    /// An operator but for those below, with what it is about.
    Operator(String, Vec<Expr>),
    /// `&&`.
    All(Vec<Expr>),
    /// `||`.
    Any(Vec<Expr>),
    /// `??`.
    Otherwise(Vec<Expr>),
    /// A block, an `if` or a `switch` where an expression stands.
    Block(Vec<Stmt>),
    /// A closure: its parameters and its statements.
    Closure(Vec<String>, Vec<Stmt>),
    /// What is not understood.
    Other,
}

/// A call of a function.
#[derive(Debug)]
pub struct Call {
    /// The name of the function; `x in list` calls `contains`.
    pub name: String,
    /// Where the name stands, or the operator.
    pub name_span: Span,
    /// What it is given; of a method the receiver first.
    pub args: Vec<Expr>,
    /// True if it is written behind a dot.
    pub is_method: bool,
}

impl Expr {
    /// Where the name of the last step stands, of a step by name; else the whole.
    pub fn last_name(&self) -> Span {
        match &self.kind {
            Kind::Field(_, name) => self.span.end.saturating_sub(name.len())..self.span.end,
            _ => self.span.clone(),
        }
    }

    /// The parts of an expression that are expressions, and the statements in it.
    pub fn parts(&self) -> (Vec<&Expr>, &[Stmt]) {
        match &self.kind {
            Kind::Literal(_) | Kind::Variable(_) | Kind::Pointer(_) | Kind::Other => (Vec::new(), &[]),
            Kind::List(parts)
            | Kind::Interpolated(parts)
            | Kind::Operator(_, parts)
            | Kind::All(parts)
            | Kind::Any(parts)
            | Kind::Otherwise(parts) => (parts.iter().collect(), &[]),
            Kind::Map(members) => (members.iter().map(|(_, value)| value).collect(), &[]),
            Kind::Field(base, _) => (vec![base], &[]),
            Kind::Index(base, index) => (vec![base, index], &[]),
            Kind::Call(call) => (call.args.iter().collect(), &[]),
            Kind::Block(body) | Kind::Closure(_, body) => (Vec::new(), body),
        }
    }

    /// Shows this expression and all in it, the outer before the inner.
    pub fn visit<'e>(&'e self, see: &mut dyn FnMut(Node<'e>)) {
        see(Node::Expr(self));
        let (parts, body) = self.parts();
        for part in parts {
            part.visit(see);
        }
        visit(body, see);
    }
}

impl Stmt {
    /// The blocks in a statement, and its expressions.
    pub fn parts(&self) -> (Vec<&Expr>, Vec<&[Stmt]>) {
        match &self.kind {
            StmtKind::Let(_, _, value) | StmtKind::Expr(value) => (vec![value], Vec::new()),
            StmtKind::Assign(target, _, value) => (vec![target, value], Vec::new()),
            StmtKind::Return(value) | StmtKind::Throw(value) | StmtKind::Leave(value) => {
                (value.iter().collect(), Vec::new())
            }
            StmtKind::If(condition, yes, no) => (vec![condition], vec![yes, no]),
            StmtKind::Switch(subject, arms) => {
                let of_arms = arms.iter().flat_map(|arm| arm.guard.iter().chain([&arm.body]));
                (std::iter::once(subject).chain(of_arms).collect(), Vec::new())
            }
            StmtKind::While(condition, body) => (condition.iter().collect(), vec![body]),
            StmtKind::For(_, list, body) => (vec![list], vec![body]),
            StmtKind::Block(body) => (Vec::new(), vec![body]),
            StmtKind::Try(body, _, caught) => (Vec::new(), vec![body, caught]),
        }
    }
}

/// A part of a tree.
#[derive(Clone, Copy, Debug)]
pub enum Node<'e> {
    /// A list of statements, one after the other.
    Body(&'e [Stmt]),
    /// A statement.
    Stmt(&'e Stmt),
    /// An expression.
    Expr(&'e Expr),
}

/// Shows statements and all in them, the outer before the inner.
pub fn visit<'e>(body: &'e [Stmt], see: &mut dyn FnMut(Node<'e>)) {
    if body.is_empty() {
        return;
    }
    see(Node::Body(body));
    for statement in body {
        see(Node::Stmt(statement));
        let (exprs, blocks) = statement.parts();
        for expr in exprs {
            expr.visit(see);
        }
        for block in blocks {
            visit(block, see);
        }
    }
}
