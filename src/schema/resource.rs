//! What a resource of inventory holds: the part of a command's answer that it is.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::at::At;
use super::commands::{self, Command};
use super::events::Shapes;
use super::models::{self, Form, Operation, Service, Type, models};
use super::place::{Holds, Place, Step};
use super::spelling::{Dialect, Spelling};

/// What a resource has beside what the API gives: what the command was told, and what AWS Config knows of it.
const BESIDE: &[(&str, Holds)] = &[("Arguments", Holds::Any), ("SupplementaryConfiguration", Holds::Any)];

/// What an instance has of its reservation.
const INHERITED: &[(&str, Holds)] =
    &[("OwnerId", Holds::Text), ("RequesterId", Holds::Text), ("ReservationId", Holds::Text)];

/// The members of resources of a kind that are `true` or `false` and nothing else, sorted.
pub fn flags(kind: &str) -> Arc<[String]> {
    type Known = Mutex<HashMap<String, Arc<[String]>>>;
    static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(flags) = known.get(kind) {
        return Arc::clone(flags);
    }
    let place = Shapes::embedded().resource(kind);
    let is_flag = |name: &String| match place.as_ref().map(|place| place.field(name)) {
        Some(Step::Known(member)) => member.holds() == [Holds::Bool] && !member.may_be(Holds::Text),
        _ => false,
    };
    let names = place.as_ref().map(Place::names).unwrap_or_default();
    let flags: Arc<[String]> = names.into_iter().filter(is_flag).collect();
    known.insert(kind.to_owned(), Arc::clone(&flags));
    flags
}

impl Shapes {
    /// A resource of a kind, with the members of its members; `None` where there is no such kind. What AWS Config says of
    /// types that no command prints may be anything.
    pub fn resource(&self, kind: &str) -> Option<Place<'_>> {
        let mut all: Vec<At<'_>> =
            self.written(kind).map(|hand| At::Hand { hand, is_closed: true }).into_iter().collect();
        let service = kind.split('/').next()?;
        for command in commands::commands().filter(|command| command.service == service) {
            all.extend(answers(command, kind));
        }
        if all.is_empty() && commands::is_kind(kind) {
            all.push(At::Any);
        }
        (!all.is_empty()).then(|| Place::new(self, &[], all))
    }
}

/// What a command prints that is a resource of the kind.
fn answers<'a>(command: &'static Command, kind: &str) -> Vec<At<'a>> {
    let resource = |service, of| At::Model { service, of, dialect: Dialect::Api, wire: "" };
    let mut found = vec![At::Fixed(BESIDE)];
    let is_single = command.singleton.as_deref() == Some(kind);
    if !is_single && !command.kinds().any(|known| &**known == kind) {
        return Vec::new();
    }
    let Some((service, answer)) = operation(command).and_then(|(service, of)| Some((service, of.response?))) else {
        return vec![At::Any];
    };
    if is_single {
        found.push(resource(service, answer));
    }
    for member in command.members.iter().filter(|member| member.kind.as_deref() == Some(kind)) {
        let Some(mut of) = below(service, answer, member.name) else { continue };
        if let Some((inner, _)) = member.within {
            found.push(At::Fixed(INHERITED));
            let Some(within) = below(service, of, inner) else { continue };
            of = within;
        }
        found.push(match of {
            Type::Shape(_) => resource(service, of),
            // Texts become resources of one member.
            _ => At::Single { service, of, dialect: Dialect::Api, called: singular_of(member.name) },
        });
    }
    found
}

/// A word in the singular, as the one member of a resource is called that is a text in its list: `PolicyNames` gives
/// `PolicyName`.
pub fn singular(word: &str) -> String {
    let (letters, end) = plural_end(word);
    format!("{}{end}", &word[..word.len() - letters])
}

fn singular_of(word: &'static str) -> Spelling {
    let (letters, end) = plural_end(word);
    Spelling::exact(&word[..word.len() - letters]).and(end)
}

/// How many letters of a plural go, and what comes instead.
fn plural_end(word: &str) -> (usize, &'static str) {
    match word {
        _ if word.ends_with("ies") => (3, "y"),
        _ if ["sses", "tuses", "xes", "ches"].iter().any(|end| word.ends_with(end)) => (2, ""),
        _ if word.ends_with("ss") || word.ends_with("us") => (0, ""),
        _ => (usize::from(word.ends_with('s')), ""),
    }
}

/// The operation behind a command of the CLI: `describe-volumes` is DescribeVolumes.
fn operation(command: &Command) -> Option<(&'static Service, Operation)> {
    let name = match command.service {
        "configservice" => "config",
        "s3api" => "s3",
        other => other,
    };
    let service = models().service(name)?;
    let squeezed = command.name.replace('-', "");
    let at = service.operations().iter().position(|(operation, _)| operation.eq_ignore_ascii_case(&squeezed))?;
    Some((service, service.operation(at)?))
}

/// What a member of a structure is, or each of its items if it is a list.
fn below(service: &Service, of: Type, name: &str) -> Option<Type> {
    let Type::Shape(number) = of else { return None };
    let Form::Structure(line) = service.form(number) else { return None };
    let member = models::members(line).find(|member| member.name == name)?;
    match member.of {
        Type::Shape(number) => match service.form(number) {
            Form::List { of, .. } => Some(of),
            _ => Some(member.of),
        },
        of => Some(of),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    /// Walks a path; `[]` is an item.
    fn walk<'a>(kind: &str, path: &str) -> Step<'a> {
        let mut at = Shapes::embedded().resource(kind).unwrap();
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let below = if step == "[]" { at.item() } else { at.field(step) };
            match below {
                Step::Known(place) if steps.peek().is_some() => at = place,
                other => return other,
            }
        }
        unreachable!("a path has a step")
    }

    fn holds(kind: &str, path: &str) -> Vec<Holds> {
        match walk(kind, path) {
            Step::Known(place) => place.holds(),
            other => panic!("{kind} {path} {other:?}"),
        }
    }

    #[test]
    fn resources_have_members_of_members() {
        assert_eq!(holds("ec2/instances", "NetworkInterfaces.[].Association.PublicIp"), [Holds::Text]);
        assert_eq!(holds("ec2/instances", "OwnerId"), [Holds::Text]);
        assert_eq!(holds("ec2/volumes", "Encrypted"), [Holds::Bool]);
        assert_eq!(holds("ec2/volumes", "Tags.[].Key"), [Holds::Text]);
        assert_eq!(holds("cloudtrail/trail-status", "IsLogging"), [Holds::Bool]);
        assert_eq!(holds("cloudtrail/event-selectors", "EventSelectors.[].DataResources.[].Values.[]"), [Holds::Text]);
        assert_eq!(holds("configservice/configuration-recorders", "recordingGroup.allSupported"), [Holds::Bool]);
        assert_eq!(holds("s3api/bucket-policy", "Policy"), [Holds::Text]);
        assert_eq!(holds("kms/key", "KeyState"), [Holds::Text]);
        assert_eq!(holds("cloudtrail/address-allocations", "PublicIp"), [Holds::Text]);
        let Step::Known(state) = walk("ec2/instances", "State.Name") else { panic!() };
        assert!(state.values().unwrap().contains(&"running"));
        assert!(!state.may_be(Holds::Bool) && state.may_be(Holds::Text));
        assert!(matches!(walk("config/aws-rds-db-cluster", "anything"), Step::Open));
    }

    #[test]
    fn what_a_resource_has_not_is_unknown_and_closed() {
        for (kind, path, near) in [
            ("ec2/instances", "NetworkInterfaces.[].Asociation", "Association"),
            ("ec2/volumes", "encrypted", "Encrypted"),
            ("cloudtrail/trails", "IsMultiRegionTrails", "IsMultiRegionTrail"),
        ] {
            let Step::Unknown { is_closed, known } = walk(kind, path) else { panic!("{kind} {path}") };
            assert!(is_closed && known.is_sorted(), "{kind} {path}");
            let wrong = path.rsplit('.').next().unwrap();
            assert_eq!(crate::diagnostic::did_you_mean(wrong, known.iter().map(String::as_str)), Some(near));
        }
        assert!(Shapes::embedded().resource("ec2/volume").is_none());
    }

    #[test]
    fn every_kind_and_every_member_of_the_table_is_known() {
        for kind in commands::kinds() {
            let place = Shapes::embedded().resource(kind).unwrap();
            for field in commands::fields(kind).unwrap_or_default() {
                assert!(matches!(place.field(field), Step::Known(_)), "{kind} {field}");
            }
        }
    }
}
