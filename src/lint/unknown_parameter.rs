//! `unknown-parameter`: members of requests and answers that the models of the calls do not have.

use super::subject::Subject;
use super::unknown_field::{in_when, remark, unknown};
use super::{Category, Check, Lint};
use crate::diagnostic::{Diagnostic, Level};

pub(super) const LINT: Lint = Lint {
    code: "unknown-parameter",
    category: Category::Correctness,
    level: Level::Warning,
    summary: "A member of `requestParameters` or `responseElements` that AWS's model of the call does not have.",
    avoid: "`request(event).instanceID` of a `StopInstances`",
    prefer: "the name that CloudTrail writes, in its own letters; `lawbook try 'event.requestParameters' FILE` shows it",
    why: "A misspelt member is an absent one. Services record some members that their models do not have, so this keeps no policy \
          from loading: where you have seen the member in a record, allow it by a comment, or tell it with `--shapes`.",
    check: Check::Policy(check),
    bad: &[
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) && request(event).instancesSet.some(|one| one.imageId != ()) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) && event.requestParameters.instancesSet[0].imageId != () }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: AuthorizeSecurityGroupIngress }\nfn matches(event) { for p in list(request(event).ipPermissions) { if p.fromPort == 22 && succeeded(event) { return true; } } false }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: DisassociateAddress }\nfn matches(event) { succeeded(event) && event.requestParameters.asociationId != () }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: DisassociateAddress }\nfn matches(event) { succeeded(event) && request(event).AssociationID != () }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: CreateUser }\nfn matches(e) { succeeded(e) }\nfn context(e) { let made = response(e); #{ user: made.usr.arn } }",
        "//! when: { eventSource: iam.amazonaws.com }\nfn matches(event) { succeeded(event) && event.eventName == \"CreateUser\" && event.requestParameters.userNmae != () }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [CreateUser, DeleteUser] }\nfn matches(event) { succeeded(event) && request(event).roleName != () }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: AuthorizeSecurityGroupIngress }\nfn matches(event) { succeeded(event) && request(event).ipPermissions.items.some(|p| p.ipRanges.items.some(|r| r.cidrip == \"x\")) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) && flatten([event.responseElements.instancesSet].map(|set| set.items)).some(|one| one.instanceIdd == \"x\") }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateVolume, requestParameters.encrypte: false }\nfn matches(event) { succeeded(event) }",
    ],
    good: &[
        "//! when: { eventSource: ec2.amazonaws.com, eventName: CreateVolume, requestParameters.encrypted: [false, null] }\nfn matches(event) { succeeded(event) }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: DisassociateAddress }\nfn matches(event) { succeeded(event) && event.requestParameters.associationId != () }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: [CreateUser, CreateRole] }\nfn matches(event) { succeeded(event) && (request(event).userName ?? request(event).roleName) != () }",
        "//! when: { eventSource: iam.amazonaws.com, eventName: CreateUser }\nfn matches(e) { succeeded(e) }\nfn context(e) { let made = response(e); #{ user: made.user.arn } }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: AuthorizeSecurityGroupIngress }\nfn matches(event) { succeeded(event) && request(event).ipPermissions.items.some(|p| p.ipRanges.items.some(|r| r.cidrIp == \"x\")) }",
        "//! when:\nfn matches(event) { succeeded(event) && event.requestParameters.anything == 1 && actor(event).type == \"Root\" }",
        "//! when: { eventSource: s3.amazonaws.com, eventName: PutBucketPolicy }\nfn matches(event) { succeeded(event) && request(event).bucketPolicy.Statement.some(|s| s.Effect == \"Allow\") }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) && flatten([event.responseElements.instancesSet].map(|set| set.items)).some(|one| one.instanceId == \"x\") }",
        "//! when: { eventSource: ec2.amazonaws.com, eventName: RunInstances }\nfn matches(event) { succeeded(event) && flatten(list(event.responseElements.instancesSet.items)).some(|one| one.instanceId == \"x\") }",
    ],
};

fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let read = unknown(subject, false);
    read.iter().map(|found| remark(&LINT, subject, found)).chain(in_when(&LINT, subject, false)).collect()
}
