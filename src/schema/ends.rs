//! What `requestParameters` and `responseElements` of an operation hold at their top, by the service's protocol.

use super::at::{At, structure};
use super::models::{Form, Operation, Service, Type, members};
use super::place::Holds;
use super::spelling::{Dialect, Spelling, is_s3, spellings};

/// The names that stand at the top, by every spelling.
pub(super) fn children<'a>(
    service: &'static Service,
    operation: Operation,
    is_request: bool,
    is_plain: bool,
    visit: &mut dyn FnMut(Spelling, At<'a>),
) {
    let of = if is_request { operation.request } else { operation.response };
    let dialect = Dialect::of(service, is_request);
    match service.protocol {
        "ec2" => ec2(service, operation, is_request, is_plain, visit),
        _ if is_s3(service) => {
            if is_request {
                s3_request(service, operation, visit);
            } else {
                s3_response(service, lines(service, of), visit);
            }
        }
        _ => {
            if is_gateway(service) && is_request {
                let body = of.map_or(At::Any, |of| At::Model { service, of, dialect, wire: "" });
                visit(Spelling::small(operation.name).and("Input"), body);
            }
            json(service, lines(service, of), dialect, visit);
        }
    }
}

/// What stands at the top under a name that no model has.
pub(super) fn other<'a>(
    service: &'static Service,
    operation: Operation,
    is_request: bool,
    name: &str,
) -> Option<At<'a>> {
    if is_gateway(service) && !is_request {
        return is_link(operation.name, name).then_some(At::Links);
    }
    if !is_s3(service) {
        return None;
    }
    // Headers that begin alike: `x-amz-meta-`.
    let of = if is_request { operation.request } else { operation.response };
    let line = lines(service, of);
    let is_header =
        members(line).any(|member| member.is_at('h') && is_map(service, member.of) && name.starts_with(member.wire));
    is_header.then_some(At::Scalar(Holds::Text))
}

fn ec2<'a>(
    service: &'static Service,
    operation: Operation,
    is_request: bool,
    is_plain: bool,
    visit: &mut dyn FnMut(Spelling, At<'a>),
) {
    let (of, end, wrapped) = match is_request {
        true => (operation.request, "Request", Dialect::Ec2Query),
        false => (operation.response, "Response", Dialect::Ec2Xml),
    };
    let line = lines(service, of);
    if is_plain {
        structure(service, line, wrapped, visit);
    } else {
        let inner = of.map_or(At::Any, |of| At::Model { service, of, dialect: wrapped, wire: "" });
        visit(Spelling::exact(operation.name).and(end), inner);
    }
    structure(service, line, Dialect::of(service, is_request), visit);
}

/// Members in JSON; where one of them is the whole body, its members, too, and where the service leaves out the one structure
/// of its answers, those of that.
fn json<'a>(service: &'static Service, line: &'static str, dialect: Dialect, visit: &mut dyn FnMut(Spelling, At<'a>)) {
    let mut all = members(line);
    let one = all.next().filter(|_| all.next().is_none());
    if let Some(one) = one
        && service.spelling.contains('w')
        && let Some(inner) = structure_of(service, one.of)
    {
        structure(service, inner, dialect, visit);
        return;
    }
    structure(service, line, dialect, visit);
    for body in members(line).filter(|member| member.is_at('p')) {
        structure(service, lines(service, Some(body.of)), dialect, visit);
    }
}

/// Headers and words of the query string as they are on the wire; the bucket and the key by names of CloudTrail's; the body
/// under the name of its element.
fn s3_request<'a>(service: &'static Service, operation: Operation, visit: &mut dyn FnMut(Spelling, At<'a>)) {
    for flag in operation.flags.split(' ').filter(|flag| !flag.is_empty()) {
        visit(Spelling::exact(flag), At::Scalar(Holds::Text));
    }
    let mut has_root = false;
    for member in members(lines(service, operation.request)) {
        let child = At::Model { service, of: member.of, dialect: Dialect::Xml, wire: member.wire };
        if member.is_at('u') {
            let name =
                if member.name == "Bucket" { Spelling::exact("bucketName") } else { Spelling::small(member.name) };
            visit(name, child);
        } else if member.is_at('q') || member.is_at('h') || member.is_at('p') {
            visit(Spelling::exact(member.wire), child);
        } else {
            has_root = true;
        }
        if service.name == "s3control" {
            spellings(&member, false, Dialect::Small, &mut |spelling| visit(spelling, child));
        }
    }
    if let (true, Some(of)) = (has_root, operation.request) {
        let body = At::Model { service, of, dialect: Dialect::Xml, wire: "" };
        visit(Spelling::exact(operation.name).and("Request"), body);
    }
}

/// Headers as they are on the wire, and what the body holds.
fn s3_response<'a>(service: &'static Service, line: &'static str, visit: &mut dyn FnMut(Spelling, At<'a>)) {
    structure(service, line, Dialect::Xml, visit);
    for body in members(line).filter(|member| member.is_at('p')) {
        structure(service, lines(service, Some(body.of)), Dialect::Xml, visit);
    }
}

fn is_gateway(service: &Service) -> bool {
    matches!(service.name, "apigateway" | "apigatewayv2")
}

/// API Gateway answers with what can be done next: `stageUpdate` after CreateStage, `resourceMethods` after CreateResource.
fn is_link(operation: &str, name: &str) -> bool {
    let noun = operation.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    let start = operation.find(|letter: char| letter.is_ascii_uppercase()).map_or("", |_| {
        let rest = &operation[1..];
        rest.find(|letter: char| letter.is_ascii_uppercase()).map_or(noun, |at| &operation[at + 1..])
    });
    let rest = name.get(start.len()..).unwrap_or_default();
    !start.is_empty()
        && name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
        && rest.starts_with(|letter: char| letter.is_ascii_uppercase())
}

fn is_map(service: &Service, of: Type) -> bool {
    matches!(of, Type::Shape(number) if matches!(service.form(number), Form::Map(_)))
}

fn structure_of(service: &Service, of: Type) -> Option<&'static str> {
    let Type::Shape(number) = of else { return None };
    match service.form(number) {
        Form::Structure(line) => Some(line),
        _ => None,
    }
}

fn lines(service: &Service, of: Option<Type>) -> &'static str {
    of.and_then(|of| structure_of(service, of)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_called_after_what_was_made() {
        for (operation, name, is) in [
            ("CreateStage", "stageUpdate", true),
            ("CreateStage", "stageFlushAuthorizerCache", true),
            ("CreateRestApi", "restApiDelete", true),
            ("CreateStage", "stage", false),
            ("CreateStage", "stageupdate", false),
            ("CreateStage", "deploymentId", false),
        ] {
            assert_eq!(is_link(operation, name), is, "{operation} {name}");
        }
    }
}
