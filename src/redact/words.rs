//! Words that may stay in a redacted report, because somebody else than the owner of the logs wrote them.
//!
//! *Law*: only what is known to be no identifier stays. A word that nobody listed is a pseudonym.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use crate::diagnostic::SourceText;
use crate::policy::Policy;
use crate::schema::{self, Shapes};
use crate::script::PRELUDE;
use crate::script::syntax::Tokens;

/// Every word of what Lawbook itself says; see `build.rs`.
static OWN: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!(concat!(env!("OUT_DIR"), "/words.txt")).lines().collect());

/// Words of paths and of records that AWS chose.
const OF_AWS: &str = "AWS AWSLogs CloudTrail CloudTrail-Digest CloudTrail-Insight Internal amazonaws.com arn root aws aws-cn \
    aws-us-gov IAMUser AssumedRole Root AWSService AWSAccount FederatedUser IdentityCenterUser SAMLUser \
    WebIdentityUser Role Directory Unknown tcp udp icmp";

/// Types of resources, as ARNs have them before a slash or a colon.
const TYPES: &str = "alarm alias assumed-role attachment autoScalingGroup bus capacity-reservation catalog certificate changeset \
    cluster db detector dhcp-options distribution domain elastic-ip event-bus federated-user file-system \
    function group image instance instance-profile internet-gateway key key-pair launch-template listener \
    loadbalancer log-group log-stream mfa natgateway network-acl network-interface oidc-provider parameter \
    policy prefix-list project queue repository role route-table rule saml-provider secret security-group \
    security-group-rule server-certificate snapshot stack stateMachine subnet table targetgroup task topic trail \
    transit-gateway user volume vpc vpc-endpoint vpc-flow-log vpc-peering-connection vpn-connection workgroup";

/// What may stay in findings of a policy.
#[derive(Default)]
pub(super) struct Words {
    own: Said,
    /// Of its libraries and the prelude.
    shared: Arc<Said>,
    /// What AWS's models of its services name and list.
    models: Vec<Model>,
}

/// The words of a model.
type Model = Arc<HashSet<&'static str>>;

/// What a text says.
#[derive(Default)]
struct Said {
    /// In its front matter, and in the texts of its script.
    words: HashSet<String>,
    /// Whole texts of its script.
    texts: HashSet<String>,
    /// What variables, functions and members of objects are called.
    names: HashSet<String>,
}

/// Where the words of a policy stand.
pub(super) struct Texts {
    policy: Arc<SourceText>,
    libraries: Arc<[Arc<SourceText>]>,
    /// The services that its records are of.
    services: Vec<String>,
}

impl Texts {
    pub(super) fn of(policy: &Policy) -> Self {
        let header = &policy.header;
        let sources = header.when.conditions.iter().filter(|condition| condition.path == ["eventSource"]);
        let sources = sources.flat_map(|condition| condition.any_of.iter().flatten());
        let kind = header.judges.split_once('/').map(|(service, _)| service);
        let services = sources.filter_map(|source| source.split('.').next()).chain(kind).map(str::to_owned).collect();
        let script = &policy.script;
        Self { policy: Arc::clone(&script.source), libraries: Arc::clone(&script.libraries), services }
    }
}

/// Words that were looked up: findings of one policy mostly come together, and many policies share the rest.
#[derive(Default)]
pub(super) struct Known {
    policies: HashMap<String, Arc<Words>>,
    /// By where the list of libraries is: all policies of a pack have the same one, which [`Texts`] hold.
    shared: HashMap<usize, Arc<Said>>,
    models: HashMap<String, Model>,
}

/// Policies of which the words are kept.
const KEPT: usize = 32;

impl Known {
    /// Those of a policy of that name.
    pub(super) fn of(&mut self, name: String, texts: &Texts) -> Arc<Words> {
        if let Some(words) = self.policies.get(&name) {
            return Arc::clone(words);
        }
        if self.policies.len() >= KEPT {
            self.policies.clear();
        }
        let mut own = Said::default();
        own.say(front_matter(&texts.policy.text));
        own.read(&texts.policy.text);
        let shared = self.shared.entry(texts.libraries.as_ptr().addr()).or_insert_with(|| {
            let mut said = Said::default();
            texts.libraries.iter().for_each(|library| said.read(&library.text));
            said.read(PRELUDE);
            Arc::new(said)
        });
        let mut models = Vec::new();
        for service in &texts.services {
            let model =
                self.models.entry(service.clone()).or_insert_with(|| Arc::new(schema::words(service).collect()));
            models.push(Arc::clone(model));
        }
        let words = Arc::new(Words { own, shared: Arc::clone(shared), models });
        self.policies.insert(name, Arc::clone(&words));
        words
    }
}

impl Said {
    fn read(&mut self, text: &str) {
        for token in Tokens::of(text).within(&(0..text.len())) {
            let token = &text[token.clone()];
            if token.starts_with(['"', '`']) {
                let inner = token.trim_matches(['"', '`']);
                self.texts.insert(inner.to_owned());
                self.say(inner);
            } else if token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
                self.names.insert(token.to_owned());
            }
        }
    }

    fn say(&mut self, text: &str) {
        let end = |letter: char| !is_of_word(letter);
        self.words.extend(text.split(end).map(core).filter(|word| !word.is_empty()).map(str::to_owned));
    }
}

impl Words {
    fn said(&self) -> [&Said; 2] {
        [&self.own, &self.shared]
    }

    /// True for a word that may stay in texts.
    pub(super) fn has(&self, word: &str) -> bool {
        self.said().iter().any(|said| said.words.contains(word))
            || word.bytes().all(|byte| byte.is_ascii_alphabetic())
                && has_humps(word)
                && self.models.iter().any(|model| model.contains(word))
            || is_of_aws(word)
    }

    /// True for a text that is one of the policy's own.
    pub(super) fn has_text(&self, text: &str) -> bool {
        self.said().iter().any(|said| said.texts.contains(text))
    }

    /// True for what a policy calls something that has no name, such as `ebs-encryption-by-default`: people choose shorter ones.
    pub(super) fn has_subject(&self, text: &str) -> bool {
        self.has_text(text) && text.len() >= 12 && text.contains('-')
    }

    /// True for a value that the policy or AWS lists.
    pub(super) fn has_value(&self, text: &str) -> bool {
        self.has_text(text) || self.models.iter().any(|model| model.contains(text))
    }

    /// True for what a member of an object may be called.
    pub(super) fn has_member(&self, name: &str) -> bool {
        self.said().iter().any(|said| said.names.contains(name))
            || self.models.iter().any(|model| model.contains(name))
            || self.has(name)
    }
}

/// What stands between the lines of a script that begin and end its front matter.
fn front_matter(text: &str) -> &str {
    text.split("//! ---").nth(1).unwrap_or_default()
}

/// True for a word such as `FromPort`, by which nobody is called.
pub(super) fn has_humps(word: &str) -> bool {
    word.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// What words are made of.
pub(super) fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '+' | '%')
}

/// A word without what stands around it.
pub(super) fn core(word: &str) -> &str {
    word.trim_matches(['_', '.', '-', '+', '%'])
}

/// True for a word of Lawbook's own messages.
pub(super) fn is_own(word: &str) -> bool {
    OWN.contains(word)
}

/// True for a type of resource.
pub(super) fn is_type(word: &str) -> bool {
    TYPES.split_ascii_whitespace().any(|kind| kind == word)
}

/// True for a word that AWS chose: a region, a service, a call.
pub(super) fn is_of_aws(word: &str) -> bool {
    let shapes = Shapes::embedded();
    OF_AWS.split_ascii_whitespace().any(|known| known == word)
        || is_region(word)
        || shapes.is_source(word)
        || !shapes.sources_of(word).is_empty()
        || word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit())
            && (schema::is_service(word) || shapes.is_source(&format!("{word}.amazonaws.com")))
        || schema::commands().any(|command| command.name == word)
}

/// True for a region, or a zone of one.
pub(super) fn is_region(word: &str) -> bool {
    const PLACES: [&str; 9] =
        ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];
    const AREAS: [&str; 11] = ["af", "ap", "ca", "cn", "eu", "il", "me", "mx", "sa", "us", "us-gov"];
    let (zone, number) = match word.rsplit_once('-') {
        Some((zone, number)) => (zone, number.trim_end_matches(|letter: char| letter.is_ascii_lowercase())),
        None => return false,
    };
    let is_number = number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = zone.rsplit_once('-').is_some_and(|(area, place)| AREAS.contains(&area) && PLACES.contains(&place));
    is_number && is_place && word.len() - zone.len() <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_known_by_their_parts() {
        for region in ["us-east-1", "eu-central-2", "us-gov-west-1", "ap-southeast-4", "us-east-1a", "il-central-1"] {
            assert!(is_region(region), "{region}");
        }
        for none in
            ["us-acme-1", "east-1", "acme-east-1", "us-east-", "us-east-1-acme", "us-east-12345", "us-east-1acme"]
        {
            assert!(!is_region(none), "{none}");
        }
    }
}
