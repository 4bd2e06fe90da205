//! One thing that is true of a place in a record or a resource: what a person wrote, or what AWS's model says in a dialect.

use super::ends;
use super::models::{self, Form, Operation, Service, Type};
use super::notation::Hand;
use super::place::{Holds, Place};
use super::spelling::{self, Dialect, Spelling};

/// One thing that is true of a place.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    /// Anything.
    Any,
    /// What somebody wrote.
    Hand { hand: &'a Hand, is_closed: bool },
    /// What an operation takes or gives.
    End { service: &'static Service, operation: Operation, is_request: bool },
    /// A value of the API's model, reached through an element of that name.
    Model { service: &'static Service, of: Type, dialect: Dialect, wire: &'static str },
    /// The list in a set of EC2, of such items.
    Items { service: &'static Service, of: Type, dialect: Dialect, called: Spelling },
    /// An item of it that is an object with one member.
    Single { service: &'static Service, of: Type, dialect: Dialect, called: Spelling },
    /// A value of a simple kind.
    Scalar(Holds),
    /// Members of simple kinds.
    Fixed(&'static [(&'static str, Holds)]),
    /// Links of API Gateway.
    Links,
}

/// What one thing says of a name.
pub(super) enum Answer {
    Known,
    Unknown { is_closed: bool },
    Open,
}

impl<'a> At<'a> {
    pub(super) fn field(self, name: &str, place: &Place<'a>, out: &mut Vec<Self>) -> Answer {
        match self {
            Self::Any => Answer::Open,
            Self::Hand { hand: Hand::Structure { members, others, is_open }, is_closed } => {
                match members.get(name).or(others.as_deref()) {
                    Some(hand) => out.extend(place.below(hand, is_closed)),
                    None if *is_open => return Answer::Open,
                    None => return Answer::Unknown { is_closed },
                }
                Answer::Known
            }
            Self::Hand { hand: Hand::Scalar { holds: Holds::Any, .. }, .. } => Answer::Open,
            Self::Hand { is_closed, .. } => Answer::Unknown { is_closed },
            _ => {
                let before = out.len();
                self.children(place.is_plain(), &mut |spelling, child| {
                    if spelling.is(name) {
                        out.push(child);
                    }
                });
                if out.len() > before {
                    return Answer::Known;
                }
                match self.other(name, place.is_plain()) {
                    Some(Self::Any) => Answer::Open,
                    Some(child) => {
                        out.push(child);
                        Answer::Known
                    }
                    None => Answer::Unknown { is_closed: self.is_closed() },
                }
            }
        }
    }

    /// What is below it under names that are known.
    pub(super) fn children(self, is_plain: bool, visit: &mut dyn FnMut(Spelling, Self)) {
        match self {
            Self::End { service, operation, is_request } => {
                ends::children(service, operation, is_request, is_plain, visit);
            }
            Self::Model { service, of: Type::Shape(number), dialect, wire } => match service.form(number) {
                Form::Structure(line) => structure(service, line, dialect, visit),
                Form::List { item, flat, of } => {
                    let called = spelling::item_name(wire, item);
                    let list = Self::Items { service, of, dialect, called };
                    if dialect.has_sets() {
                        visit(Spelling::exact("items"), list);
                        visit(Spelling::exact("item"), list);
                    } else if dialect == Dialect::Xml && !flat {
                        visit(Spelling::exact(if item.is_empty() { "member" } else { item }), list);
                    } else if dialect.is_xml() {
                        // One item stands for the list, as an object.
                        list.children(is_plain, visit);
                    }
                }
                _ => {}
            },
            Self::Items { service, of, dialect, called } if dialect.is_xml() => {
                if dialect == Dialect::Ec2Query && !is_plain {
                    visit(Spelling::exact("content"), Self::Model { service, of, dialect, wire: called.base() });
                }
                visit(Spelling::exact("tag"), Self::Scalar(Holds::Int));
                Self::Model { service, of, dialect, wire: called.base() }.children(is_plain, visit);
            }
            Self::Fixed(members) => {
                for (name, holds) in members {
                    visit(Spelling::exact(name), Self::Scalar(*holds));
                }
            }
            Self::Single { service, of, dialect, called } => {
                visit(called, Self::Model { service, of, dialect, wire: called.base() });
            }
            _ => {}
        }
    }

    /// What is below it under any other name.
    fn other(self, name: &str, is_plain: bool) -> Option<Self> {
        match self {
            Self::Links => Some(Self::Any),
            Self::Scalar(Holds::Any) => Some(Self::Any),
            Self::End { service, operation, is_request } => ends::other(service, operation, is_request, name),
            Self::Model { of: Type::Document, .. } => Some(Self::Any),
            // Policies and other documents, which the language parses.
            Self::Model { of: Type::Text, .. } | Self::Single { of: Type::Text, .. } if is_plain => Some(Self::Any),
            Self::Model { service, of: Type::Shape(number), dialect, wire } => match service.form(number) {
                Form::Map(of) => Some(Self::Model { service, of, dialect, wire }),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn item(self) -> Option<Self> {
        match self {
            Self::Any | Self::Model { of: Type::Document, .. } => Some(Self::Any),
            Self::Scalar(Holds::Any) | Self::Hand { hand: Hand::Scalar { holds: Holds::Any, .. }, .. } => {
                Some(Self::Any)
            }
            // Words of a query string are lists of one in some records.
            Self::Scalar(_) | Self::Hand { hand: Hand::Scalar { .. }, is_closed: false } => Some(self),
            Self::Hand { hand: Hand::Structure { members, .. }, .. } if members.contains_key("items") => Some(self),
            Self::Hand { hand: Hand::List(hand), is_closed } => Some(Self::Hand { hand, is_closed }),
            Self::Items { service, of, dialect, called } => Some(item(service, of, dialect, called)),
            Self::Model { service, of: Type::Shape(number), dialect, wire } => match service.form(number) {
                // A set is an object with `items`: asked for an item, as `list(…)` of it is, it is one by itself.
                Form::List { .. } if dialect.has_sets() => Some(self),
                Form::List { item: element, of, .. } => {
                    Some(item(service, of, dialect, spelling::item_name(wire, element)))
                }
                _ if dialect.is_xml() => Some(self),
                _ => None,
            },
            Self::Model { dialect, .. } if dialect.is_xml() => Some(self),
            _ => None,
        }
    }

    pub(super) fn holds(self) -> Holds {
        match self {
            Self::Any => Holds::Any,
            Self::Scalar(holds) => holds,
            Self::Hand { hand: Hand::Scalar { holds, .. }, .. } => *holds,
            Self::Hand { hand: Hand::List(_), .. } | Self::Items { .. } => Holds::List,
            Self::Hand { hand: Hand::Structure { members, others: Some(_), .. }, .. } if members.is_empty() => {
                Holds::Map
            }
            Self::Hand { .. } | Self::End { .. } | Self::Single { .. } | Self::Fixed(_) => Holds::Structure,
            Self::Links => Holds::Map,
            Self::Model { service, of, .. } => match of {
                Type::Text | Type::Bytes => Holds::Text,
                Type::Int => Holds::Int,
                Type::Number => Holds::Number,
                Type::Bool => Holds::Bool,
                Type::Time => Holds::Time,
                Type::Document => Holds::Any,
                Type::Shape(number) => match service.form(number) {
                    Form::Structure(_) => Holds::Structure,
                    Form::List { .. } => Holds::List,
                    Form::Map(_) => Holds::Map,
                    Form::Values(_) => Holds::Text,
                },
            },
        }
    }

    pub(super) fn values(self) -> Option<Vec<&'a str>> {
        match self {
            Self::Hand { hand: Hand::Scalar { values, .. }, .. } if !values.is_empty() => {
                Some(values.iter().map(String::as_str).collect())
            }
            Self::Model { service, of: Type::Shape(number), .. } => match service.form(number) {
                Form::Values(values) => Some(values.split('\t').collect()),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn is_closed(self) -> bool {
        match self {
            Self::Hand { is_closed, .. } => is_closed,
            _ => self.is_exact(),
        }
    }

    /// True where values are of the kind that the model says.
    pub(super) fn is_exact(self) -> bool {
        match self {
            Self::Model { dialect, .. } | Self::Single { dialect, .. } => dialect == Dialect::Api,
            // Names, numbers of accounts, versions and the like: what CloudTrail itself says of a call is text in every record.
            Self::Hand { hand: Hand::Scalar { holds: Holds::Text, .. }, is_closed } => is_closed,
            Self::Fixed(_) => true,
            _ => false,
        }
    }
}

/// An item of a list: in EC2's classic requests one that is no structure is an object with one member.
fn item<'a>(service: &'static Service, of: Type, dialect: Dialect, called: Spelling) -> At<'a> {
    let is_structure = matches!(of, Type::Shape(number) if matches!(service.form(number), Form::Structure(_)));
    match dialect {
        Dialect::Ec2Request if !is_structure => At::Single { service, of, dialect, called },
        Dialect::Ec2Query => At::Items { service, of, dialect, called },
        _ => At::Model { service, of, dialect, wire: called.base() },
    }
}

/// Members of IAM's answers that are texts to the API, which the CLI and the SDKs print as the policies that stand in them.
/// <https://docs.aws.amazon.com/cli/latest/reference/iam/get-role.html>
const DOCUMENTS: [&str; 3] = ["AssumeRolePolicyDocument", "PolicyDocument", "Document"];

/// The members of a structure, by every spelling.
pub(super) fn structure<'a>(
    service: &'static Service,
    line: &'static str,
    dialect: Dialect,
    visit: &mut dyn FnMut(Spelling, At<'a>),
) {
    for member in models::members(line) {
        let is_list = dialect == Dialect::Ec2Request
            && matches!(member.of, Type::Shape(number) if matches!(service.form(number), Form::List { .. }));
        let is_document = dialect == Dialect::Api && service.name == "iam" && DOCUMENTS.contains(&member.name);
        let child =
            if is_document { At::Any } else { At::Model { service, of: member.of, dialect, wire: member.wire } };
        spelling::spellings(&member, is_list, dialect, &mut |spelling| visit(spelling, child));
    }
    match dialect {
        Dialect::Xml => {
            for name in ["xmlns", "xmlns:xsi"] {
                visit(Spelling::exact(name), At::Scalar(Holds::Text));
            }
        }
        Dialect::Ec2Xml => {
            for name in ["xmlns", "requestId"] {
                visit(Spelling::exact(name), At::Scalar(Holds::Text));
            }
            visit(Spelling::exact("return"), At::Scalar(Holds::Bool));
        }
        _ => {}
    }
}
