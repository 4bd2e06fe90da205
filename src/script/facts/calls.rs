//! What calls come to: of functions of scripts, which are followed, of operators, of the host's functions and of Rhai's.

use rhai::FnCallExpr;

use super::{Known, Lowering, Variables, all, any, equal, is_plain, not};
use crate::script::functions::{self, Lowered};
use crate::script::predicate::{
    Expr, Finding, Literal, LookUp, Native, Operation, Pattern, Picks, Place, Relation, Within,
};

/// Whether an expression may be something that has members or items: a part of a record, or what a script makes.
pub(super) fn may_have_members(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Path(_)
            | Expr::Item(_)
            | Expr::Member(..)
            | Expr::Bracket(_)
            | Expr::At(..)
            | Expr::Call(..)
            | Expr::LookUp(_)
            | Expr::Pick(..)
            | Expr::Map(..)
            | Expr::If(_)
            | Expr::Coalesce(_)
            | Expr::Loop(..)
            | Expr::While(..)
            | Expr::After(_)
    )
}

/// Whether the items of an expression can be gone through.
pub(super) fn may_be_list(expr: &Expr) -> bool {
    may_have_members(expr) || matches!(expr, Expr::List(_) | Expr::Listed(_) | Expr::Grown(_))
}

/// Whether an address is in one of some blocks.
fn within(ip: &Expr, blocks: Vec<ipnet::IpNet>) -> Known {
    Known::Expr(match blocks.is_empty() {
        true => Expr::Literal(Literal::Bool(false)),
        false => Expr::Matches(Box::new(ip.clone()), Pattern::Blocks(blocks)),
    })
}

impl Lowering<'_> {
    /// A call, as a function or as a method of `receiver`.
    pub(super) fn function(&mut self, call: &FnCallExpr, receiver: Option<Known>, variables: &mut Variables) -> Known {
        // There are no modules, and what sees the variables around its call is not followed.
        if !call.namespace.is_empty() || call.capture_parent_scope {
            return self.nothing_known();
        }
        let name = call.name.as_str();
        let is_method = receiver.is_some();
        let mut args: Vec<Known> = receiver.into_iter().collect();
        args.extend(call.args.iter().map(|arg| self.tree(arg, variables)).collect::<Vec<_>>());
        if call.op_token.is_some() && name != "contains" {
            return self.operator(name, args);
        }
        // All arguments are evaluated, whether they are asked for or not.
        let effects: Vec<Expr> = args.iter().filter_map(|arg| self.effect(arg)).collect();
        // A method of the script's own sees its receiver as `this`, not as an argument; it comes before the host's.
        if is_method && self.has_method(name, args.len() - 1) {
            return self.nothing_known();
        }
        let answer = match is_method || self.own(name, args.len()).is_none() {
            true => self.host(name, args),
            false => self.call(name, args).unwrap_or_else(|| self.nothing_known()),
        };
        effects.into_iter().rev().fold(answer, |answer, effect| self.after(Some(effect), answer))
    }

    /// Whether a function of the script answers as a method of that name.
    pub(super) fn has_method(&self, name: &str, params: usize) -> bool {
        let key = (name.to_owned(), params);
        self.surroundings.functions.iter().any(|file| file.by_name.contains_key(&key) || file.typed.contains(&key))
    }

    pub(super) fn operator(&mut self, name: &str, args: Vec<Known>) -> Known {
        let is_flag = |flag| Known::Expr(Expr::Literal(Literal::Bool(flag)));
        let mut args = args.into_iter();
        match (name, args.next(), args.next(), args.next()) {
            ("!", Some(inner), None, None) => Known::Expr(not(self.expr(inner))),
            ("==" | "!=", Some(left), Some(right), None) => {
                let answer = match (left, right) {
                    (Known::Expr(left), Known::Expr(right)) => equal(left, right),
                    // What is something is not nothing.
                    (Known::List(_) | Known::Map(_) | Known::Actor, Known::Expr(Expr::Literal(Literal::Unit)))
                    | (Known::Expr(Expr::Literal(Literal::Unit)), Known::List(_) | Known::Map(_) | Known::Actor) => {
                        return is_flag(name == "!=");
                    }
                    (Known::Arn(text), Known::Expr(Expr::Literal(Literal::Unit)))
                    | (Known::Expr(Expr::Literal(Literal::Unit)), Known::Arn(text)) => {
                        not(Expr::Call(Native::of(functions::is_arn), vec![text]))
                    }
                    _ => return self.nothing_known(),
                };
                Known::Expr(if name == "==" { answer } else { not(answer) })
            }
            ("<" | "<=" | ">" | ">=", Some(left), Some(right), None) => {
                let relation = match name {
                    "<" => Relation::Less,
                    "<=" => Relation::LessOrEqual,
                    ">" => Relation::Greater,
                    _ => Relation::GreaterOrEqual,
                };
                let sides = Box::new([self.expr(left), self.expr(right)]);
                Known::Expr(Expr::Order(relation, sides))
            }
            ("+" | "-" | "*" | "/" | "%", Some(Known::Expr(left)), Some(Known::Expr(right)), None) => {
                let operation = match name {
                    "+" => Operation::Plus,
                    "-" => Operation::Minus,
                    "*" => Operation::Times,
                    "/" => Operation::Divided,
                    _ => Operation::Rest,
                };
                let known = match (&left, &right) {
                    (Expr::Literal(Literal::Int(left)), Expr::Literal(Literal::Int(right))) => {
                        operation.of(*left, *right)
                    }
                    _ => None,
                };
                Known::Expr(match known {
                    Some(number) => Expr::Literal(Literal::Int(number)),
                    None => Expr::Reckon(operation, Box::new([left, right])),
                })
            }
            _ => self.nothing_known(),
        }
    }

    /// A function of Rhai or of the host.
    fn host(&mut self, name: &str, mut args: Vec<Known>) -> Known {
        match (name, args.as_mut_slice()) {
            ("actor", [Known::Expr(event)]) if self.is_record(event) => Known::Actor,
            ("account" | "region", [Known::Expr(event)]) if self.is_record(event) => {
                Known::Expr(Expr::Place(if name == "account" { Place::Account } else { Place::Region }))
            }
            ("arn", [Known::Expr(text)]) => Known::Arn(text.clone()),
            ("list", [list @ Known::List(_)]) => list.clone(),
            ("list", [Known::Expr(Expr::Literal(literal))]) => match literal {
                Literal::Unit => Known::List(Vec::new()),
                Literal::Text(text) if text.is_empty() => Known::List(Vec::new()),
                _ => Known::List(args),
            },
            ("list", [Known::Expr(one)]) if may_have_members(one) => Known::Expr(Expr::Listed(Box::new(one.clone()))),
            ("some" | "all", [list, Known::Closure(function, captured)]) => {
                let (list, function, captured) = (list.clone(), function.clone(), captured.clone());
                self.each(list, &function, &captured, name == "all")
            }
            ("filter" | "find" | "map", [list, Known::Closure(function, captured)]) => {
                let picks = match name {
                    "filter" => Picks::All,
                    "find" => Picks::First,
                    _ => Picks::Made,
                };
                let (list, function, captured) = (list.clone(), function.clone(), captured.clone());
                self.pick(list, &function, &captured, picks)
            }
            ("is_empty", [Known::List(items)]) => Known::Expr(Expr::Literal(Literal::Bool(items.is_empty()))),
            ("len", [Known::List(items)]) => match i64::try_from(items.len()) {
                Ok(length) => Known::Expr(Expr::Literal(Literal::Int(length))),
                Err(_) => self.nothing_known(),
            },
            (
                "split",
                [Known::Expr(Expr::Literal(Literal::Text(text))), Known::Expr(Expr::Literal(Literal::Text(by)))],
            ) if !by.is_empty() => {
                let part = |part: &str| Known::Expr(Expr::Literal(Literal::Text(part.into())));
                Known::List(text.split(&**by).map(part).collect())
            }
            (
                "split",
                [
                    Known::Expr(Expr::Literal(Literal::Text(text))),
                    Known::Expr(Expr::Literal(Literal::Text(by))),
                    Known::Expr(Expr::Literal(Literal::Int(parts @ 1..))),
                ],
            ) if !by.is_empty() => {
                let part = |part: &str| Known::Expr(Expr::Literal(Literal::Text(part.into())));
                let parts = usize::try_from(*parts).unwrap_or(usize::MAX);
                Known::List(text.splitn(parts, &**by).map(part).collect())
            }
            ("contains", [Known::List(items), Known::Expr(needle)]) => {
                let literals: Option<Vec<Literal>> = items
                    .iter()
                    .map(|item| match item {
                        Known::Expr(Expr::Literal(literal)) if is_plain(literal) => Some(literal.clone()),
                        _ => None,
                    })
                    .collect();
                match literals {
                    Some(literals) => Known::Expr(Expr::OneOf(Box::new(needle.clone()), literals)),
                    None => {
                        let sides = [self.list(items.clone()), needle.clone()];
                        Known::Expr(Expr::Text(Relation::Contains, Box::new(sides)))
                    }
                }
            }
            ("contains" | "starts_with" | "ends_with", [Known::Expr(text), Known::Expr(part)]) => {
                let relation = match name {
                    "contains" => Relation::Contains,
                    "starts_with" => Relation::StartsWith,
                    _ => Relation::EndsWith,
                };
                Known::Expr(Expr::Text(relation, Box::new([text.clone(), part.clone()])))
            }
            ("glob" | "regex", [Known::Expr(text), patterns]) => {
                let (text, patterns) = (text.clone(), patterns.clone());
                self.matches(name, &text, patterns)
            }
            ("regex_find", [Known::Expr(text), Known::Expr(Expr::Literal(Literal::Text(pattern)))]) => {
                match functions::compile_regex(pattern) {
                    Ok(regex) => Known::Expr(Expr::Find(Box::new(text.clone()), Box::new(Finding::new(regex)))),
                    Err(_) => self.nothing_known(),
                }
            }
            ("ip_in_cidr", [Known::Expr(ip), Known::Expr(Expr::Literal(Literal::Text(block)))]) => {
                within(ip, functions::parse_block(block).into_iter().collect())
            }
            ("ip_in_cidr", [Known::Expr(ip), Known::List(blocks)]) => {
                let mut found = Vec::new();
                for block in blocks {
                    let Known::Expr(Expr::Literal(block)) = block else { return self.nothing_known() };
                    if let Literal::Text(block) = block {
                        found.extend(functions::parse_block(block));
                    }
                }
                within(ip, found)
            }
            (
                look_up,
                [
                    Known::Expr(Expr::Literal(Literal::Text(kind))),
                    Known::Expr(Expr::Literal(Literal::Text(key))),
                    Known::Expr(value),
                ],
            ) if (look_up == "lookup" || functions::LISTING.contains(&look_up))
                && !self.surroundings.may_halt
                && self.surroundings.uses.iter().any(|used| **used == **kind) =>
            {
                let (kind, key, value) = (kind.clone(), key.clone(), value.clone());
                Known::Expr(Expr::LookUp(Box::new(LookUp { kind, key, value, gives_list: name != "lookup" })))
            }
            _ => self.table(name, args),
        }
    }

    /// A function that the table of host functions says can be lowered.
    fn table(&mut self, name: &str, args: Vec<Known>) -> Known {
        let Some(lowered) = functions::lowered(name, args.len()) else { return self.nothing_known() };
        match lowered {
            Lowered::Of(function) | Lowered::Makes(function) => {
                let makes = matches!(lowered, Lowered::Makes(_));
                let args: Vec<Expr> = args.into_iter().map(|arg| self.expr(arg)).collect();
                Known::Expr(Expr::Call(Native { function, makes }, args))
            }
            Lowered::OfEvent(tests) => {
                if !matches!(args.as_slice(), [Known::Expr(event)] if self.is_record(event)) {
                    return self.nothing_known();
                }
                let parts: Vec<Expr> = tests
                    .iter()
                    .map(|(function, paths)| {
                        let path = |path: &&[&str]| self.path(path.iter().map(|name| (*name).to_owned()).collect());
                        let native = Native::of(*function);
                        Expr::Call(native, paths.iter().map(path).collect())
                    })
                    .collect();
                match <[Expr; 1]>::try_from(parts) {
                    Ok([one]) => Known::Expr(one),
                    Err(parts) => Known::Expr(Expr::All(parts)),
                }
            }
        }
    }

    fn each(&mut self, list: Known, function: &str, captured: &[Known], all_of_them: bool) -> Known {
        match list {
            Known::List(items) => {
                let asked = items.into_iter().map(|item| {
                    let answer = self.closure_of(function, captured, item);
                    self.expr(answer)
                });
                let asked: Vec<Expr> = asked.collect();
                Known::Expr(if all_of_them { all(asked) } else { any(asked) })
            }
            Known::Expr(list) if may_be_list(&list) => {
                let (body, within) = self.body(function, captured);
                Known::Expr(Expr::Each(Box::new([list, body]), all_of_them, within))
            }
            // Over nothing, and over scalars.
            Known::Expr(Expr::Literal(_)) => Known::Expr(Expr::Literal(Literal::Bool(all_of_them))),
            _ => self.nothing_known(),
        }
    }

    /// What a closure picks of a list, or makes of it.
    fn pick(&mut self, list: Known, function: &str, captured: &[Known], picks: Picks) -> Known {
        let list = match list {
            Known::List(items) if picks == Picks::Made => {
                let made = items.into_iter().map(|item| self.closure_of(function, captured, item)).collect();
                return self.made(made);
            }
            Known::List(items) => self.list(items),
            Known::Expr(Expr::Literal(_)) if picks == Picks::First => return Known::Expr(Expr::Literal(Literal::Unit)),
            Known::Expr(Expr::Literal(_)) => return Known::List(Vec::new()),
            Known::Expr(list) if may_be_list(&list) => list,
            _ => return self.nothing_known(),
        };
        let (body, within) = self.body(function, captured);
        Known::Expr(Expr::Pick(Box::new([list, body]), picks, within))
    }

    /// What a closure answers about an item.
    fn closure_of(&mut self, function: &str, captured: &[Known], item: Known) -> Known {
        let mut args: Vec<Known> = captured.iter().map(|known| self.copied(known)).collect();
        args.push(item);
        // Three calls to Rhai, of which one is counted there.
        self.depth += 2;
        let answer = self.call(function, args);
        self.depth -= 2;
        answer.unwrap_or_else(|| self.nothing_known())
    }

    /// What a closure answers about items that are not known.
    fn body(&mut self, function: &str, captured: &[Known]) -> (Expr, Within) {
        let (around, before) = (self.around, self.left);
        self.around += 1;
        let answer = self.closure_of(function, captured, Known::Expr(Expr::Item(around)));
        self.around = around;
        (self.expr(answer), Within { around, work: before - self.left })
    }

    /// `glob` and `regex`, with one pattern or a list of them.
    fn matches(&mut self, name: &str, text: &Expr, patterns: Known) -> Known {
        let patterns = match patterns {
            Known::Expr(pattern) => vec![Known::Expr(pattern)],
            Known::List(patterns) => patterns,
            _ => return self.nothing_known(),
        };
        let mut asked = Vec::new();
        for pattern in patterns {
            let Known::Expr(Expr::Literal(literal)) = pattern else { return self.nothing_known() };
            let Literal::Text(pattern) = literal else { continue };
            let compiled = match name {
                "glob" => functions::compile_glob(&pattern).ok().map(Pattern::Glob),
                _ => functions::compile_regex(&pattern).ok().map(Pattern::Regex),
            };
            // One that does not compile fails, whatever the others say.
            let Some(compiled) = compiled else { return self.nothing_known() };
            asked.push(Expr::Matches(Box::new(text.clone()), compiled));
        }
        Known::Expr(any(asked))
    }
}
