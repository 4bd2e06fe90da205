//! What is known of an expression, and what is said of it.

use rhai::{Expr, FnCallExpr, Position};

use super::super::functions::LISTING;
use super::super::sandbox;
use super::chain::{Chain, chain, closure_name};
use super::known::{KEYWORDS, looks_up};
use super::place::chain_end;
use super::walker::Walker;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::record::CLOUDTRAIL;

/// Text fields of an event, where `in` and `for` would look for parts of the text. From "CloudTrail record contents" in
/// the AWS CloudTrail user guide.
const TEXT_FIELDS: &[&str] = &[
    "apiVersion",
    "awsRegion",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "recipientAccountId",
    "requestID",
    "sharedEventID",
    "sourceIPAddress",
    "userAgent",
    "vpcEndpointId",
];

/// Functions whose answer is text.
const TEXT_FUNCTIONS: &[&str] = &[
    "to_lower",
    "to_upper",
    "trim",
    "replace",
    "sub_string",
    "to_string",
    "join",
    "text",
    "url_decode",
    "base64_decode",
    "error_code",
    "to_json",
    "format_time",
    "regex_find",
];

/// Functions that give a value of a record, so that a path into their answer may be absent, beside [`LISTING`].
const RECORD_FUNCTIONS: &[&str] =
    &["request", "response", "actor", "lookup", "all", "parse_json", "arn", "tag", "jsonpath", "statements"];

impl<'a> Walker<'a> {
    /// The closures given to list functions of a chain that goes over values of the record.
    pub(super) fn closures_over_record(&self, expr: &Expr) -> Vec<String> {
        let chain = chain(expr);
        if !self.root_is_of_record(&chain) {
            return Vec::new();
        }
        let mut closures = Vec::new();
        let mut over = true;
        for call in &chain.calls {
            if over {
                closures.extend(call.args.iter().filter_map(closure_name));
            }
            // What a closure makes of the items is the script's own.
            over &=
                !matches!(call.name.as_str(), "map" | "reduce" | "reduce_rev" | "find_map" | "zip" | "keys" | "split");
        }
        closures
    }

    pub(super) fn root_is_of_record(&self, chain: &Chain<'_>) -> bool {
        match chain.root {
            Expr::Variable(variable, ..) => self.find(&variable.1).is_some_and(|variable| variable.of_record),
            Expr::FnCall(call, _)
                if matches!(call.name.as_str(), "list" | "first" | "flatten" | "unique" | "overlap") =>
            {
                call.args.first().is_some_and(|arg| self.is_of_record(arg))
            }
            Expr::FnCall(call, _) => [RECORD_FUNCTIONS, &LISTING].iter().any(|some| some.contains(&call.name.as_str())),
            _ => false,
        }
    }

    /// `params.x`: is there such a parameter?
    pub(super) fn param(&mut self, root: &str, name: &str, position: Position) {
        if !self.names_params(root) {
            return;
        }
        let Some(header) = self.header else { return };
        let names: Vec<&str> =
            header.params.as_object().into_iter().flat_map(|params| params.keys().map(String::as_str)).collect();
        if !names.contains(&name) {
            let help = did_you_mean(name, names.iter().copied()).map_or_else(
                || "declare it under `params:` in the front matter".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            self.say("unknown-param", position, format!("no parameter `{name}`"), Some(help));
            self.rename(name, names);
        }
    }

    pub(super) fn variable(&mut self, name: &str, position: Position) {
        let known =
            self.find(name).is_some() || self.constants.contains(name) || (name == "params" && self.header.is_some());
        if !known {
            let names: Vec<&str> = self
                .variables
                .iter()
                .map(|variable| variable.name)
                .chain(self.constants.iter().copied())
                .chain(self.header.map(|_| "params"))
                .collect();
            let help = match name {
                "params" => Some("a library has none: give what it needs to the function".to_owned()),
                name => did_you_mean(name, names.iter().copied()).map(|meant| format!("did you mean `{meant}`?")),
            };
            self.say("unknown-variable", position, format!("no variable `{name}`"), help);
            self.rename(name, names);
        }
    }

    /// A function, called with so many arguments behind what stands before the dot, if that is 1.
    pub(super) fn function_is_known(&mut self, name: &str, args: usize, receiver: usize, position: Position) {
        let arity = args + receiver;
        if let Some((_, arities)) = KEYWORDS.iter().find(|(keyword, _)| *keyword == name) {
            if !arities.contains(&arity) {
                self.say("wrong-arity", position, format!("`{name}` does not take {arity} arguments"), None);
            }
            return;
        }
        if self.known.takes(name, args, receiver) {
            return;
        }
        let arities = self.known.arities(name);
        if arities.is_empty() {
            let help = if sandbox::REMOVED.contains(&name) {
                Some("policies cannot use it".to_owned())
            } else {
                self.known.meant(name).map(|meant| format!("did you mean `{meant}`?"))
            };
            self.say("unknown-function", position, format!("no function `{name}`"), help);
            // What is removed on purpose is not near another name by mistake.
            if !sandbox::REMOVED.contains(&name) {
                self.rename(name, self.known.names());
            }
            return;
        }
        if receiver == 1 && self.known.is_of_script(name, arity) {
            let message = format!("`{name}` is given what stands before the dot as `this`, not as an argument");
            self.say("wrong-arity", position, message, Some(format!("`{name}(…)`")));
            return;
        }
        let wanted = arities.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        self.say(
            "wrong-arity",
            position,
            format!(
                "`{name}` takes {wanted} argument{} (what stands before the dot is one), here {arity}",
                if wanted == "1" { "" } else { "s" }
            ),
            None,
        );
    }

    /// The kind that a look-up names must exist and be declared.
    pub(super) fn kind(&mut self, function: &str, call: &FnCallExpr, position: Position) {
        if !looks_up(function, call.args.len()) {
            return self.kinds_of_library(function, position);
        }
        let Some(Expr::StringConstant(kind, at)) = call.args.first() else {
            if let Some(first) = call.args.first() {
                let at = if first.start_position().is_none() { position } else { first.start_position() };
                self.say(
                    "kind-not-literal",
                    at,
                    format!("the kind given to `{function}` must be a literal text, so that it can be checked"),
                    None,
                );
            }
            return;
        };
        let Some(header) = self.header else { return };
        if !crate::schema::is_kind(kind) {
            let help = did_you_mean(kind, crate::schema::kinds()).map(|meant| format!("did you mean `{meant}`?"));
            self.say("unknown-kind", *at, format!("no inventory kind `{kind}`"), help);
            self.rename(kind, crate::schema::kinds());
        } else if !header.uses.iter().chain(header.needs).any(|declared| declared == kind.as_str()) {
            self.say(
                "undeclared-kind",
                *at,
                format!("`{kind}` is not declared"),
                Some(format!("add `{kind}` to `uses:` (the policy can judge without it) or to `needs:` (it cannot)")),
            );
        }
    }

    /// A look-up that is called in another way than by its name, with the kind behind it, cannot be checked.
    pub(super) fn kind_out_of_sight(&mut self, function: &str, position: Position) {
        self.say(
            "kind-not-literal",
            position,
            format!(
                "`{function}` must be called by its name, with the kind as a literal text, so that it can be checked"
            ),
            Some(format!("`{function}(\"ec2/…\"{})`", if looks_up(function, 3) { ", …, …" } else { "" })),
        );
    }

    /// The kinds that a library's function looks up must be declared by the policy that calls it.
    pub(super) fn kinds_of_library(&mut self, function: &str, position: Position) {
        let Some(header) = self.header else { return };
        let declared = |kind: &&String| header.uses.iter().chain(header.needs).any(|declared| declared == *kind);
        let undeclared: Vec<String> = self
            .lookups
            .and_then(|lookups| lookups.0.get(function))
            .into_iter()
            .flatten()
            .filter(|kind| !declared(kind))
            .cloned()
            .collect();
        if undeclared.is_empty() {
            return;
        }
        let kinds = undeclared.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
        self.say(
            "undeclared-kind",
            position,
            format!("`{function}` looks up {kinds}, not declared here"),
            Some(
                "add what it looks up to `uses:` (the policy can judge without it) or to `needs:` (it cannot)"
                    .to_owned(),
            ),
        );
    }

    /// A bare path is not a condition: where the field is absent it is `()`, and where it is text it is an error.
    pub(super) fn condition(&mut self, expr: &Expr, role: &str) {
        if let Expr::FnCall(call, _) = expr
            && self.parsed.functions.iter().any(|function| function.name == call.name.as_str())
        {
            self.predicates.insert(call.name.to_string());
        }
        if !self.is_bare_path(expr) {
            return;
        }
        let message = format!(
            "a bare path as {} is neither true nor false where the field is absent",
            if role == "answer" { "an answer" } else { "a condition" }
        );
        let start = self.lines.offset(expr.start_position());
        let end = chain_end(&self.source.text, start);
        let path = &self.source.text[start..end];
        let help = match path.rsplit_once('.') {
            Some((_, "is_empty")) => format!("try: `{path}()`"),
            Some((_, "len")) => format!("try: `{path}() > 0`"),
            _ => format!("try: `{path} == true`"),
        };
        self.out.push(Diagnostic::error("bare-path", self.source, start..end, message).help(help));
    }

    /// A chain that ends in a property or an index and begins at a value of the record.
    pub(super) fn is_bare_path(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Variable(variable, ..) => return self.find(&variable.1).is_some_and(|variable| variable.is_path),
            Expr::Coalesce(parts, _) => return parts.last().is_some_and(|last| self.is_bare_path(last)),
            _ => {}
        }
        let chain = chain(expr);
        chain.steps > 0 && !chain.ends_in_call && !chain.is_made() && self.root_is_of_record(&chain)
    }

    /// True if a path from the value may be absent.
    pub(super) fn is_of_record(&self, expr: &Expr) -> bool {
        let chain = chain(expr);
        !chain.is_made() && self.root_is_of_record(&chain)
    }

    pub(super) fn is_text(&self, expr: &Expr) -> bool {
        match expr {
            Expr::StringConstant(..) | Expr::InterpolatedString(..) => true,
            Expr::FnCall(call, _) => TEXT_FUNCTIONS.contains(&call.name.as_str()),
            Expr::Dot(..) | Expr::Index(..) => {
                let chain = chain(expr);
                if let Some(method) = chain.last_call {
                    return TEXT_FUNCTIONS.contains(&method);
                }
                let Expr::Variable(variable, ..) = chain.root else { return false };
                let of_event = self.header.is_some_and(|header| header.judges == CLOUDTRAIL)
                    && self.variables.first().is_some_and(|first| first.of_record && first.name == variable.1.as_str());
                of_event && chain.steps == 1 && chain.only_property.is_some_and(|name| TEXT_FIELDS.contains(&name))
            }
            _ => false,
        }
    }
}
