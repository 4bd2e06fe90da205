//! Puts pseudonyms in the place of accounts, addresses and names, before reports are written.
//!
//! *Law*: what may stay is listed, not what must go: the words of policies and of Lawbook, and what AWS chose (services,
//! regions, calls). All else in a finding is a pseudonym: the same for the same word, in all formats, and in all reports that
//! are made with the same key. Fingerprints are hashes of ids that somebody could guess, so they are hashed with the key, too.

mod pseudonym;
mod text;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;

use self::pseudonym::Key;
use self::text::Keep;
use self::words::{Known, Texts, Words};
use crate::engine::{NotEvaluated, Outcome, Problem, Resolved, Unused, Why};
use crate::error::Error;
use crate::finding::{Facts, Finding, Fingerprint, Remediation, Sighting, Windowed};
use crate::policy::{Checked, FRAME};
use crate::principal::{Principal, Traced};
use crate::record::Origin;
use crate::tally::{By, Row};

/// Bytes that a key has at least.
pub const SHORTEST_KEY: usize = 16;

/// What stands for a reason that somebody wrote: no word of it is known to be harmless.
const WITHHELD: &str = "(withheld)";

/// The pseudonyms of one key.
pub struct Redactor(Key);

impl Redactor {
    /// Those of a key that is kept, so that reports can be compared.
    ///
    /// # Errors
    /// When the key is so short that it could be found by trying.
    pub fn new(secret: &[u8]) -> Result<Self, Error> {
        if secret.len() < SHORTEST_KEY {
            let error = Error::new(format!("a key of {} bytes can be guessed: it needs {SHORTEST_KEY}", secret.len()));
            return Err(error.try_to("`openssl rand -hex 32` makes one"));
        }
        Ok(Self(Key::new(secret)))
    }

    /// Those of a key that nobody keeps.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random() -> Result<Self, Error> {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret).map_err(|_| Error::new("the system gives no random bytes for a key"))?;
        Self::new(&secret)
    }

    /// The same outcome, with pseudonyms. Numbers stay.
    pub fn redact(self, mut outcome: Outcome, packs: &Checked) -> Outcome {
        // Of policies that are called alike the first counts, as it does everywhere.
        let mut texts = HashMap::new();
        for policy in packs.policies() {
            texts.entry(name(&policy.pack, &policy.id)).or_insert_with(|| Texts::of(policy));
        }
        let all = Arc::new(Redaction { key: self.0, none: Arc::default(), texts, known: Mutex::default() });
        outcome.summary.redacted = true;
        for history in &mut outcome.summary.history {
            all.optional(&mut history.account);
        }
        for section in outcome.tally.iter_mut().flat_map(|tally| &mut tally.sections) {
            section.rows.iter_mut().for_each(|row| all.counted(section.by, row));
        }
        outcome.not_evaluated.iter_mut().for_each(|row| all.not_evaluated(row));
        outcome.faults.iter_mut().for_each(|row| all.fault(row, packs));
        for (file, reason) in &mut outcome.skipped {
            *file = all.path(file);
            *reason = all.message(reason, &all.none);
        }
        if let Some(decided) = &mut outcome.decided {
            decided.unused_waivers.iter_mut().for_each(|row| all.unused(row));
            decided.resolved.iter_mut().for_each(|row| all.resolved(row));
        }
        let (of_finding, of_why) = (Arc::clone(&all), all);
        outcome.findings = outcome.findings.changed(Arc::new(move |finding| {
            of_finding.finding(finding);
            let of_origin = Arc::clone(&of_finding);
            finding.duplicates.change(Arc::new(move |origin| of_origin.origin(origin)));
        }));
        outcome.why = outcome.why.changed(Arc::new(move |why| of_why.why(why)));
        outcome
    }
}

/// What redacts, also while findings are read.
struct Redaction {
    key: Key,
    none: Arc<Words>,
    texts: HashMap<String, Texts>,
    known: Mutex<Known>,
}

fn name(pack: &str, policy: &str) -> String {
    format!("{pack}/{policy}")
}

impl Redaction {
    /// The words that may stay in what is said of a policy.
    fn words(&self, pack: &str, policy: &str) -> Arc<Words> {
        let name = name(pack, policy);
        let Some(texts) = self.texts.get(&name) else { return Arc::clone(&self.none) };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).of(name, texts)
    }

    /// What is an identifier, whatever its words.
    fn identifier(&self, text: &str) -> String {
        self.key.text(text, Keep::Nothing, &[])
    }

    fn optional(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            *text = self.identifier(text);
        }
    }

    fn shared(&self, text: &mut Option<Arc<str>>) {
        if let Some(text) = text {
            *text = self.identifier(text).into();
        }
    }

    fn message(&self, text: &str, words: &Words) -> String {
        self.key.text(text, Keep::Messages(words), &[])
    }

    fn path(&self, file: &str) -> Arc<str> {
        self.key.text(file, Keep::Messages(&self.none), &[]).into()
    }

    fn origin(&self, origin: &mut Origin) {
        origin.file = self.path(&origin.file);
    }

    /// A word that AWS chose, unless it is none.
    fn of_aws(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            *text = self.key.text(text, Keep::Policy(&self.none), &[]);
        }
    }

    /// The name of a call or of an error: one that is too new to be known is still no identifier, if it looks like one of AWS's.
    fn call(&self, name: &mut Option<String>) {
        let is_name = |name: &String| {
            name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && words::has_humps(name)
        };
        if !name.as_ref().is_some_and(is_name) {
            self.of_aws(name);
        }
    }

    /// What calls were counted by.
    fn counted(&self, by: By, row: &mut Row) {
        let Row { value, kind, account, source, count: _ } = row;
        match by {
            By::Principal | By::Caller | By::Account | By::Region => self.optional(value),
            By::Event | By::Error => self.call(value),
            By::SourceIp | By::UserAgent | By::Hour => self.of_aws(value),
        }
        self.of_aws(kind);
        self.optional(account);
        self.of_aws(source);
    }

    fn finding(&self, finding: &mut Finding) {
        let words = self.words(&finding.pack, &finding.policy);
        let names = names(finding, &words);
        let text = |text: &str| self.key.text(text, Keep::Policy(&words), &names);
        finding.title = text(&finding.title);
        finding.group = text(&finding.group);
        for resource in finding.resources.iter_mut().filter(|resource| !words.has_subject(resource)) {
            *resource = self.identifier(resource);
        }
        self.facts(&mut finding.record);
        if let Some(window) = &mut finding.window {
            self.window(window);
        }
        if let Some(actor) = &mut finding.actor {
            self.principal(actor);
        }
        self.of_aws(&mut finding.source_ip);
        self.origin(&mut finding.origin);
        self.context(&mut finding.context, &words, &names);
        if let Some(excuse) = &mut finding.waiver {
            excuse.owner = self.identifier(&excuse.owner);
            excuse.reason = WITHHELD.to_owned();
            self.optional(&mut excuse.ticket);
        }
        for note in &mut finding.notes {
            *note = self.message(note, &self.none);
        }
        // Names of policies are no secret.
        let Remediation { impact, console, cli, python, verify, undo, after: _, left_out } = &mut finding.remediation;
        let (verify, undo) = ([&mut verify.cli, &mut verify.python], [&mut undo.cli, &mut undo.python]);
        for form in [impact, console, cli, python].into_iter().chain(verify).chain(undo).flatten() {
            // The frame is ours.
            *form = match form.strip_prefix(FRAME) {
                Some(commands) => format!("{FRAME}{}", text(commands)),
                None => text(form),
            };
        }
        for left_out in left_out {
            left_out.reason = self.key.text(&left_out.reason, Keep::Messages(&words), &names);
        }
        finding.fingerprint = self.fingerprint(finding.fingerprint);
    }

    fn facts(&self, facts: &mut Facts) {
        let Facts { kind: _, id, time, name, source, account, region } = facts;
        self.shared(id);
        self.of_aws(time);
        self.call(name);
        self.of_aws(source);
        self.shared(account);
        self.shared(region);
    }

    fn window(&self, window: &mut Windowed) {
        for value in &mut window.by {
            self.key_value(value);
        }
        for hit in &mut window.hits {
            let Sighting { number: _, time: _, id, name, step: _, account, region, actor, source_ip, origin } = hit;
            self.call(name);
            for text in [id, account, region, actor] {
                self.optional(text);
            }
            self.of_aws(source_ip);
            self.origin(origin);
        }
    }

    /// A value by which hits are of one window.
    fn key_value(&self, value: &mut Value) {
        match value {
            Value::String(text) if words::is_of_aws(text) => {}
            Value::String(text) => *text = self.identifier(text),
            Value::Number(_) => self.number(value),
            Value::Array(items) => items.iter_mut().for_each(|item| self.key_value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.key_value(member)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn principal(&self, principal: &mut Principal) {
        let Principal { kind, name, arn, role, account, session, access_key, service, mfa: _, traced } = principal;
        for text in [name, arn, role, account, session, access_key] {
            self.optional(text);
        }
        self.of_aws(kind);
        self.of_aws(service);
        if let Some(traced) = traced {
            let Traced { origin, chain, via: _ } = &mut **traced;
            if let Some(origin) = origin {
                self.principal(origin);
            }
            for role in chain {
                *role = self.identifier(role);
            }
        }
    }

    fn context(&self, value: &mut Value, words: &Words, names: &[String]) {
        match value {
            Value::String(text) if words.has_value(text) && !names.contains(text) => {}
            Value::String(text) => *text = self.key.text(text, Keep::Policy(words), names),
            Value::Number(_) => self.number(value),
            Value::Array(items) => items.iter_mut().for_each(|item| self.context(item, words, names)),
            Value::Object(members) => {
                let renamed = std::mem::take(members).into_iter().map(|(key, mut member)| {
                    self.context(&mut member, words, names);
                    (if words.has_member(&key) { key } else { self.identifier(&key) }, member)
                });
                *members = renamed.collect();
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A number of twelve digits, as accounts are where somebody forgot the quotes.
    fn number(&self, value: &mut Value) {
        if let Some(number) = value.as_u64().filter(|number| (100_000_000_000..1_000_000_000_000).contains(number))
            && let Ok(account) = self.key.digits(&number.to_string()).parse::<u64>()
        {
            *value = account.into();
        }
    }

    fn fingerprint(&self, own: Fingerprint) -> Fingerprint {
        let hash = self.key.hash("fingerprint", &own.0);
        let mut out = [0; 16];
        out.copy_from_slice(&hash[..16]);
        Fingerprint(out)
    }

    fn not_evaluated(&self, row: &mut NotEvaluated) {
        row.reason = self.message(&row.reason, &self.words(&row.pack, &row.policy));
        self.shared(&mut row.account);
        self.shared(&mut row.region);
        row.origins.iter_mut().for_each(|origin| self.origin(origin));
    }

    fn fault(&self, row: &mut Problem, packs: &Checked) {
        let policy = row.policy.as_deref().zip(row.pack.as_deref()).and_then(|(id, pack)| packs.of(pack, id));
        let words = policy.map_or_else(|| Arc::clone(&self.none), |policy| self.words(&policy.pack, &policy.id));
        row.reason = self.message(&row.reason, &words);
        row.origins.iter_mut().for_each(|origin| self.origin(origin));
    }

    fn unused(&self, row: &mut Unused) {
        row.file = self.path(&row.file).to_string();
        row.owner = self.identifier(&row.owner);
    }

    fn resolved(&self, row: &mut Resolved) {
        row.title = self.key.text(&row.title, Keep::Policy(&self.words(&row.pack, &row.policy)), &[]);
        let digits = self.key.hash("resolved", row.fingerprint.as_bytes());
        row.fingerprint = match Fingerprint::from_digits(&row.fingerprint) {
            Some(own) => self.fingerprint(own).to_string(),
            None => Fingerprint(std::array::from_fn(|at| digits[at])).to_string(),
        };
    }

    fn why(&self, why: &mut Why) {
        self.origin(&mut why.origin);
        why.record = self.key.text(&why.record, Keep::Policy(&self.none), &[]);
        why.reason = self.message(&why.reason, &self.none);
    }
}

/// What of a finding is an identifier although some of its words might stay: longest first.
fn names(finding: &Finding, words: &Words) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        for name in text::names_in(text) {
            let stays = |word: &str| !word.is_empty() && Keep::Policy(words).keeps(word);
            if !Keep::Nothing.keeps(name) && name.split(|letter| !words::is_of_word(letter)).map(words::core).any(stays)
            {
                names.push(name.to_owned());
            }
        }
    };
    finding.resources.iter().filter(|resource| !words.has_subject(resource)).for_each(|resource| add(resource));
    let mut add_principal = |principal: &Principal| {
        let Principal { kind: _, name, arn, role, account, session, access_key, service: _, mfa: _, traced: _ } =
            principal;
        [name, arn, role, account, session, access_key].into_iter().flatten().for_each(|text| add(text));
    };
    if let Some(actor) = &finding.actor {
        add_principal(actor);
        if let Some(origin) = actor.traced.as_ref().and_then(|traced| traced.origin.as_ref()) {
            add_principal(origin);
        }
    }
    if let Some(window) = &finding.window {
        window.by.iter().filter_map(Value::as_str).filter(|text| !words::is_of_aws(text)).for_each(&mut add);
        window.hits.iter().filter_map(|hit| hit.actor.as_deref()).for_each(&mut add);
    }
    finding.record.id.as_deref().into_iter().for_each(&mut add);
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.dedup();
    names
}
