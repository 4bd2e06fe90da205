//! Restores records from the columns of an Athena table of CloudTrail, in CSV and in `get-query-results`.
//!
//! Source: the table that "Querying AWS CloudTrail logs" in the Athena user guide creates: columns in lower case,
//! `useridentity`, `tlsdetails` and `addendum` structs that print as `{name=value, ...}`, `resources` a list of such, request
//! and response as JSON text. Other CSV exports are read when a column holds the record as text.

use serde_json::{Map, Value};

use super::envelope::Opener;
use super::rows;
use crate::record::{Document, Kind, Node, Ref};

/// What a column holds and which member of the record that is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Column {
    Text(&'static str),
    Bool(&'static str),
    Json(&'static str),
    Struct(&'static str, &'static [Member]),
    /// A list of structs.
    Structs(&'static str, &'static [Member]),
    /// JSON, or text that is none.
    Perhaps(&'static str),
    /// The record itself.
    Whole,
    Other,
}

/// A member of a struct: its name in the record, and its members if it is a struct itself.
#[derive(Debug, PartialEq)]
struct Member(&'static str, &'static [Member]);

const ATTRIBUTES: &[Member] = &[Member("creationDate", &[]), Member("mfaAuthenticated", &[])];

const ISSUER: &[Member] = &[
    Member("type", &[]),
    Member("principalId", &[]),
    Member("arn", &[]),
    Member("accountId", &[]),
    Member("userName", &[]),
];

const SESSION: &[Member] = &[
    Member("attributes", ATTRIBUTES),
    Member("sessionIssuer", ISSUER),
    Member("ec2RoleDelivery", &[]),
    Member("ec2IssuedInVpc", &[]),
    Member("webIdFederationData", &[Member("federatedProvider", &[]), Member("attributes", &[])]),
    Member("sourceIdentity", &[]),
];

const SCOPE: &[Member] = &[
    Member("sourceArn", &[]),
    Member("sourceAccount", &[]),
    Member("issuerType", &[]),
    Member("credentialsIssuedTo", &[]),
];

const IDENTITY: &[Member] = &[
    Member("type", &[]),
    Member("principalId", &[]),
    Member("arn", &[]),
    Member("accountId", &[]),
    Member("invokedBy", &[]),
    Member("accessKeyId", &[]),
    Member("userName", &[]),
    Member("onBehalfOf", &[Member("userId", &[]), Member("identityStoreArn", &[])]),
    Member("sessionContext", SESSION),
    Member("inScopeOf", SCOPE),
    Member("identityProvider", &[]),
    Member("credentialId", &[]),
];

const TLS: &[Member] =
    &[Member("tlsVersion", &[]), Member("cipherSuite", &[]), Member("clientProvidedHostHeader", &[])];

const RESOURCE: &[Member] =
    &[Member("ARN", &[]), Member("accountId", &[]), Member("type", &[]), Member("ARNPrefix", &[])];

const ADDENDUM: &[Member] = &[
    Member("reason", &[]),
    Member("updatedFields", &[]),
    Member("originalRequestID", &[]),
    // As the guide's table has it.
    Member("originalUID", &[]),
    Member("originalEventID", &[]),
];

/// Members whose values have no comma: one that seems to has another member behind it, of which nobody here knows.
const SINGLE: [&str; 9] = [
    "type",
    "accountId",
    "accessKeyId",
    "invokedBy",
    "creationDate",
    "mfaAuthenticated",
    "ARNPrefix",
    "tlsVersion",
    "cipherSuite",
];

/// Columns by their lower-case name.
const COLUMNS: &[Column] = &[
    Column::Text("eventVersion"),
    Column::Struct("userIdentity", IDENTITY),
    Column::Text("eventTime"),
    Column::Text("eventSource"),
    Column::Text("eventName"),
    Column::Text("awsRegion"),
    Column::Text("sourceIPAddress"),
    Column::Text("userAgent"),
    Column::Text("errorCode"),
    Column::Text("errorMessage"),
    Column::Json("requestParameters"),
    Column::Json("responseElements"),
    Column::Json("additionalEventData"),
    Column::Text("requestID"),
    Column::Text("eventID"),
    Column::Bool("readOnly"),
    Column::Structs("resources", RESOURCE),
    Column::Bool("managementEvent"),
    Column::Text("eventType"),
    Column::Text("eventCategory"),
    Column::Text("apiVersion"),
    Column::Text("recipientAccountId"),
    Column::Json("serviceEventDetails"),
    Column::Text("sharedEventID"),
    Column::Text("vpcEndpointId"),
    Column::Text("vpcEndpointAccountId"),
    Column::Text("sessionCredentialFromConsole"),
    Column::Struct("tlsDetails", TLS),
    Column::Struct("addendum", ADDENDUM),
    Column::Perhaps("edgeDeviceDetails"),
];

/// Without these a policy could not tell a refused call from one that worked, or whose it was.
const NEEDED: [&str; 10] = [
    "eventSource",
    "eventName",
    "eventTime",
    "userIdentity",
    "requestParameters",
    "responseElements",
    "errorCode",
    "awsRegion",
    "recipientAccountId",
    "eventID",
];

/// Columns of other exports that hold the record as it was.
const WHOLE: [&str; 7] = ["eventjson", "cloudtrailevent", "_raw", "@message", "message", "raw", "event.original"];

impl Column {
    fn of(name: &str) -> Self {
        let lower = name.trim().to_ascii_lowercase();
        if WHOLE.contains(&lower.as_str()) {
            return Self::Whole;
        }
        let known = COLUMNS.iter().find(|column| column.name().is_some_and(|name| name.eq_ignore_ascii_case(&lower)));
        known.copied().unwrap_or(Self::Other)
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Text(name)
            | Self::Bool(name)
            | Self::Json(name)
            | Self::Perhaps(name)
            | Self::Struct(name, _)
            | Self::Structs(name, _) => Some(name),
            Self::Whole | Self::Other => None,
        }
    }
}

/// Whether the columns of a result, of which none holds whole records, are parts of records that policies would need whole. What
/// only names events, or counts them, is a report.
pub(super) fn picks<'n>(mut names: impl Iterator<Item = &'n str>) -> bool {
    let needed = ["userIdentity", "requestParameters", "responseElements"];
    names.any(|name| {
        let first = name.split('.').next().unwrap_or_default();
        needed.iter().any(|needed| first.eq_ignore_ascii_case(needed))
    })
}

/// The header of a table that can be read as events.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// Whether the first row of some text is the header of a table of CloudTrail.
    pub(super) fn look_known(header: &[Option<String>]) -> bool {
        let known = |name: &Option<String>| {
            let name = name.as_deref().unwrap_or_default().trim();
            ["eventname", "eventsource", "eventjson", "cloudtrailevent", "event name"]
                .iter()
                .any(|column| name.eq_ignore_ascii_case(column))
        };
        header.len() > 1 && header.iter().any(known)
    }

    /// Reads the header.
    ///
    /// # Errors
    /// The reason of a fault when policies need more than the columns that are there.
    pub(super) fn of(header: &[Option<String>]) -> Result<Self, String> {
        let columns: Vec<Column> = header.iter().map(|name| Column::of(name.as_deref().unwrap_or_default())).collect();
        if columns.contains(&Column::Whole) {
            return Ok(Self(columns));
        }
        let has = |name: &str| header.iter().flatten().any(|column| column.trim() == name);
        if has("TimeGenerated") && has("EventName") {
            return Err("a Microsoft Sentinel export, whose columns do not hold the whole record; export the CloudTrail records themselves".to_owned());
        }
        let missing: Vec<String> = NEEDED
            .iter()
            .filter(|name| !columns.iter().any(|column| column.name() == Some(name)))
            .map(|name| format!("`{}`", name.to_ascii_lowercase()))
            .collect();
        if missing.is_empty() {
            return Ok(Self(columns));
        }
        Err(format!("a table without the columns {}; select all columns", missing.join(", ")))
    }

    /// The record of one row.
    fn event(&self, cells: &[Option<String>]) -> Result<Value, String> {
        if cells.len() != self.0.len() {
            return Err(format!(
                "a row of {} cells under a header of {}; export the table again",
                cells.len(),
                self.0.len()
            ));
        }
        let mut record = Map::new();
        // Of every record something is NULL, so a row of quoted cells alone was saved again by what quotes NULL, too.
        let all_quoted = cells.iter().all(Option::is_some);
        for (column, cell) in self.0.iter().zip(cells) {
            let Some((text, name)) = cell.as_deref().zip(column.name()) else { continue };
            let value = match column {
                _ if text == "null" => Value::Null,
                Column::Text(_) if text.is_empty() && all_quoted => Value::Null,
                Column::Bool(_) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
                Column::Bool(_) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
                Column::Json(_) | Column::Perhaps(_) if text.is_empty() => Value::Null,
                Column::Json(_) => json(text).ok_or_else(|| {
                    format!("column `{}` does not hold JSON; export the records themselves", name.to_ascii_lowercase())
                })?,
                Column::Struct(_, members) => structure(text, members).ok_or_else(|| {
                    format!(
                        "column `{}` does not hold a struct of members that are known; export the records themselves",
                        name.to_ascii_lowercase()
                    )
                })?,
                Column::Structs(_, members) => structures(text, members).ok_or_else(|| {
                    format!(
                        "column `{}` does not hold a list; export the records themselves",
                        name.to_ascii_lowercase()
                    )
                })?,
                Column::Perhaps(_) => json(text).unwrap_or_else(|| Value::from(text)),
                _ => Value::from(text),
            };
            record.insert(name.to_owned(), value);
        }
        Ok(Value::Object(record))
    }
}

fn json(text: &str) -> Option<Value> {
    Document::parse(text.as_bytes()).ok().map(|document| document.root().to_json())
}

impl Opener<'_> {
    /// A row of CSV.
    pub(super) fn row(&mut self, columns: &Columns, row: &[u8]) {
        self.cells(columns, &rows::cells(row), 0);
    }

    fn cells(&mut self, columns: &Columns, cells: &[Option<String>], depth: u32) {
        if columns.0.contains(&Column::Whole) {
            // Exports name several such columns, and not all of them hold the record.
            let whole = columns.0.iter().zip(cells).filter(|(column, _)| **column == Column::Whole);
            let texts: Vec<&str> =
                whole.filter_map(|(_, cell)| cell.as_deref()).filter(|text| !text.trim().is_empty()).collect();
            match texts.iter().find(|text| text.trim_start().starts_with(['{', '['])).or(texts.first()) {
                Some(text) => self.text("the record's column", text, depth + 1),
                None => self.fault("a row whose column of records is empty"),
            }
            return;
        }
        match columns.event(cells) {
            Ok(record) => self.value(&Node::from(Document::from(&record)), depth + 1),
            Err(reason) => self.fault(reason),
        }
    }
}

/// `aws athena get-query-results`: rows of cells, the first of them the header.
pub(super) fn take(opener: &mut Opener<'_>, node: &Node, depth: u32) -> bool {
    let Some(set) = node.view().get("ResultSet").filter(|set| set.get("Rows").is_some()) else { return false };
    let mut table: Vec<Vec<Option<String>>> =
        set.get("Rows").into_iter().flat_map(Ref::items).map(|row| row_cells(row)).collect();
    let named = set.path(&["ResultSetMetadata", "ColumnInfo"]).filter(|list| list.kind() == Kind::List);
    let header: Vec<Option<String>> = match named {
        Some(list) => list.items().map(|column| column.text(&["Name"]).map(str::to_owned)).collect(),
        None if table.is_empty() => return true,
        None => table.remove(0),
    };
    // The first page repeats the names as a row.
    if table.first() == Some(&header) {
        table.remove(0);
    }
    match Columns::of(&header) {
        Ok(columns) => table.iter().for_each(|row| opener.cells(&columns, row, depth)),
        // A result without rows is of no query that matters here; a row without a header may be a record.
        Err(_) if table.is_empty() && named.is_some() => {}
        Err(reason) => opener.fault(reason),
    }
    true
}

fn row_cells(row: Ref<'_>) -> Vec<Option<String>> {
    let cells = row.get("Data").into_iter().flat_map(Ref::items);
    cells.map(|cell| cell.text(&["VarCharValue"]).map(str::to_owned)).collect()
}

/// A struct as Athena prints it, or as JSON; `None` for what is neither, or has a member of which nothing tells where its
/// value ends.
fn structure(text: &str, members: &'static [Member]) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Null);
    }
    let inner = text.strip_prefix('{')?;
    if inner.trim_start().starts_with('"') {
        return json(text).map(|value| spelled(value, members));
    }
    read_members(inner, members).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

/// JSON with the members in the record's spelling: query engines know names in lower case alone.
fn spelled(value: Value, members: &'static [Member]) -> Value {
    match value {
        Value::Object(map) => {
            let spelled = map.into_iter().map(|(key, value)| {
                match members.iter().find(|known| known.0.eq_ignore_ascii_case(&key)) {
                    Some(member) => (member.0.to_owned(), spelled(value, member.1)),
                    None => (key, value),
                }
            });
            Value::Object(spelled.collect())
        }
        Value::Array(items) => items.into_iter().map(|item| spelled(item, members)).collect(),
        other => other,
    }
}

/// A list of structs as Athena prints it, or as JSON; `None` for what is neither.
fn structures(text: &str, members: &'static [Member]) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Null);
    }
    let mut rest = text.strip_prefix('[')?;
    if rest.starts_with("{\"") {
        return json(text).map(|list| spelled(list, members));
    }
    let mut items = Vec::new();
    while let Some(inner) = rest.strip_prefix('{') {
        let (item, after) = read_members(inner, members)?;
        items.push(item);
        rest = after.strip_prefix(", ").unwrap_or(after);
    }
    (rest == "]").then_some(Value::Array(items))
}

/// Reads members up to the closing brace; gives what follows it. A member is known by its name, so values may hold
/// commas and equal signs. `None` where another one stands.
fn read_members<'t>(mut text: &'t str, members: &'static [Member]) -> Option<(Value, &'t str)> {
    let mut map = Map::new();
    while let Some((member, rest)) = starts_member(text, members) {
        let (value, rest) = match rest.strip_prefix('{') {
            Some(inner) if !member.1.is_empty() => read_members(inner, member.1)?,
            Some(inner) => (Value::Null, skip_braces(inner)),
            None => {
                let (value, rest) = rest.split_at(scalar_end(rest, members));
                if SINGLE.contains(&member.0) && value.contains(", ") {
                    return None;
                }
                (Value::from(value), rest)
            }
        };
        // A member that the record did not have prints as `null`.
        if !value.is_null() && value != "null" {
            map.insert(member.0.to_owned(), value);
        }
        text = match rest.strip_prefix(", ") {
            Some(next) => next,
            None => {
                text = rest;
                break;
            }
        };
    }
    Some((Value::Object(map), text.strip_prefix('}')?))
}

/// The member whose name and `=` begin the text, and what follows.
fn starts_member<'t>(text: &'t str, members: &'static [Member]) -> Option<(&'static Member, &'t str)> {
    let at = text.bytes().take(64).position(|byte| byte == b'=')?;
    let (name, rest) = (&text[..at], &text[at + 1..]);
    members.iter().find(|member| member.0.eq_ignore_ascii_case(name)).map(|member| (member, rest))
}

/// Where a value ends: before the next known member, or before the brace that closes the struct.
fn scalar_end(text: &str, members: &'static [Member]) -> usize {
    let ends = |at: usize| {
        let rest = &text[at..];
        match rest.strip_prefix(", ") {
            Some(next) => starts_member(next, members).is_some(),
            None => {
                rest.strip_prefix('}').is_some_and(|after| matches!(after, "" | "]") || after.starts_with([',', '}']))
            }
        }
    };
    text.match_indices([',', '}']).map(|(at, _)| at).find(|at| ends(*at)).unwrap_or(text.len())
}

fn skip_braces(text: &str) -> &str {
    let mut depth = 1;
    for (at, bracket) in text.match_indices(['{', '}']) {
        depth = if bracket == "{" { depth + 1 } else { depth - 1 };
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn restores_a_struct_whose_values_hold_separators() {
        let text = "{type=AssumedRole, principalid=AROA:a=b, c, arn=arn:aws:sts::111122223333:assumed-role/x/a=b, c, \
                    accountid=111122223333, invokedby=null, accesskeyid=ASIAEXAMPLE, username=null, \
                    sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-03-01T10:00:00Z}, \
                    sessionissuer={type=Role, principalid=AROA, arn=arn:aws:iam::111122223333:role/x, \
                    accountid=111122223333, username=x}, ec2roledelivery=null, \
                    webidfederationdata={federatedprovider=p, attributes={k=v}}}}";
        assert_eq!(
            structure(text, IDENTITY),
            Some(json!({
                "type": "AssumedRole", "principalId": "AROA:a=b, c",
                "arn": "arn:aws:sts::111122223333:assumed-role/x/a=b, c",
                "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
                "sessionContext": {
                    "attributes": { "mfaAuthenticated": "false", "creationDate": "2026-03-01T10:00:00Z" },
                    "sessionIssuer": {
                        "type": "Role", "principalId": "AROA", "arn": "arn:aws:iam::111122223333:role/x",
                        "accountId": "111122223333", "userName": "x"
                    },
                    "webIdFederationData": { "federatedProvider": "p" }
                }
            }))
        );
        let internal = structure("{type=AWSService, invokedby=AWS Internal}", IDENTITY);
        assert_eq!(internal, Some(json!({ "type": "AWSService", "invokedBy": "AWS Internal" })));
        assert_eq!((structure("{}", IDENTITY), structure("", IDENTITY)), (Some(json!({})), Some(Value::Null)));
    }

    #[test]
    fn a_struct_is_not_read_in_part() {
        for odd in [
            "{",
            "{type",
            "{type=",
            "{type={",
            "}",
            "Root",
            "{type=Root",
            "{type=Root} ",
            "{type=é, arn=}, x=1}",
            "{type=Root, newmember=1}",
            "{newmember=1, type=Root}",
            "{type=Root, sessioncontext={new={a=b}, sessionissuer={type=Role}}, accesskeyid=A}",
            "{type=SAMLUser, principalid=p}, x, username=eve, accountid=1}",
            "{\"type\":",
        ] {
            assert_eq!(structure(odd, IDENTITY), None, "{odd}");
        }
    }

    #[test]
    fn a_struct_may_be_json_in_lower_case() {
        let text = r#"{"type":"AssumedRole","sessioncontext":{"sessionissuer":{"username":"x"}},"New":{"type":1}}"#;
        let expected = json!({
            "type": "AssumedRole", "sessionContext": { "sessionIssuer": { "userName": "x" } }, "New": { "type": 1 }
        });
        assert_eq!(structure(text, IDENTITY), Some(expected));
        let list = structures(r#"[{"arn":"a","accountid":"1"}]"#, RESOURCE);
        assert_eq!(list, Some(json!([{ "ARN": "a", "accountId": "1" }])));
    }

    #[test]
    fn restores_lists_of_structs() {
        let list = |text: &str| structures(text, RESOURCE);
        assert_eq!(
            list(
                "[{arn=arn:aws:s3:::b/a=b, c}], accountid=null, type=AWS::S3::Object}, {arn=arn:aws:s3:::b, accountid=1, type=T}]"
            ),
            Some(json!([
                { "ARN": "arn:aws:s3:::b/a=b, c}]", "type": "AWS::S3::Object" },
                { "ARN": "arn:aws:s3:::b", "accountId": "1", "type": "T" }
            ]))
        );
        assert_eq!(
            list("[{accountid=1, type=T, arn=a, arnprefix=p}]"),
            list("[{arn=a, accountid=1, type=T, arnprefix=p}]")
        );
        assert_eq!(list(r#"[{"ARN":"a"}]"#), Some(json!([{ "ARN": "a" }])));
        assert_eq!(list("[]"), Some(json!([])));
        assert_eq!(list(""), Some(Value::Null));
        for broken in ["[", "{arn=a}", "[{arn=a", "[{arn=a}", "[{arn=a}] ", "[{nobody=a}]", "arn", "[1]"] {
            assert_eq!(list(broken), None, "{broken}");
        }
    }
}
