//! What stands for an identifier: made by a keyed hash, in the shape of what it stands for.
//!
//! *Law*: the same word has the same pseudonym wherever it stands, and without the key nobody can try guesses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ring::hmac;

/// Beginnings of the ids that AWS gives resources, before a hyphen and hexadecimal digits.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>, and the API references of the services.
const RESOURCES: &[&str] = &[
    "acl",
    "aclassoc",
    "ami",
    "aki",
    "ari",
    "bun",
    "cagw",
    "cgw",
    "cr",
    "cvpn-endpoint",
    "dopt",
    "eigw",
    "eipalloc",
    "eipassoc",
    "eni",
    "eni-attach",
    "export-i",
    "export-vol",
    "fl",
    "fleet",
    "fpga",
    "fs",
    "fsap",
    "fsmt",
    "fleet",
    "h",
    "hr",
    "i",
    "igw",
    "import-ami",
    "import-snap",
    "ipam",
    "ipam-pool",
    "ipam-scope",
    "key",
    "lgw",
    "lt",
    "nat",
    "nis",
    "pcx",
    "pg",
    "pl",
    "r",
    "rtb",
    "rtbassoc",
    "scg",
    "sfr",
    "sg",
    "sgr",
    "sir",
    "snap",
    "subnet",
    "subnet-cidr-assoc",
    "tgw",
    "tgw-attach",
    "tgw-rtb",
    "tmf",
    "tms",
    "tmt",
    "vgw",
    "vol",
    "vpc",
    "vpc-cidr-assoc",
    "vpce",
    "vpce-svc",
    "vpn",
];

/// Beginnings of the ids that IAM gives keys, users and roles.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
const IDENTITIES: &[&str] =
    &["ABIA", "ACCA", "AGPA", "AIDA", "AIPA", "AKIA", "ANPA", "ANVA", "APKA", "AROA", "ASCA", "ASIA"];

/// Ends of names of files that say what is in them.
const ENDS: &[&str] = &[
    ".json.gz",
    ".json",
    ".ndjson.gz",
    ".ndjson",
    ".jsonl.gz",
    ".jsonl",
    ".yaml",
    ".yml",
    ".log.gz",
    ".log",
    ".csv",
    ".txt",
    ".gz",
];

/// Makes pseudonyms.
pub(super) struct Key(hmac::Key);

impl Key {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The hash of a text, for a purpose.
    pub(super) fn hash(&self, purpose: &str, text: &[u8]) -> [u8; 32] {
        let mut hash = hmac::Context::with_key(&self.0);
        hash.update(purpose.as_bytes());
        hash.update(&[0]);
        hash.update(text);
        let mut out = [0; 32];
        out.copy_from_slice(hash.sign().as_ref());
        out
    }

    /// What stands for a word: text without spaces and separators.
    pub(super) fn word(&self, word: &str) -> String {
        if let Ok(address) = word.parse() {
            return self.address(address).to_string();
        }
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.digits(word);
        }
        if let Some(id) = self.resource(word).or_else(|| self.identity(word)).or_else(|| self.uuid(word)) {
            return id;
        }
        let end = ENDS.iter().find(|end| word.len() > end.len() && word.ends_with(*end)).copied().unwrap_or_default();
        let stem = &word[..word.len() - end.len()];
        if !end.is_empty() && (self.resource(stem).is_some() || stem.bytes().all(|byte| byte.is_ascii_digit())) {
            return format!("{}{end}", self.word(stem));
        }
        format!("name-{}{end}", self.letters("name", stem, b"0123456789abcdef", 12))
    }

    /// An address of the ranges for documentation (RFC 5737, RFC 3849). There are 762 of those of IPv4, so two may have the same.
    pub(super) fn address(&self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            own if own.is_unspecified() => own,
            IpAddr::V4(own) => {
                let hash = self.hash("v4", &own.octets());
                let number = u32::from_be_bytes([0, 0, hash[0], hash[1]]) % 762;
                let [first, second, third] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][number as usize / 254];
                IpAddr::V4(Ipv4Addr::new(first, second, third, (number % 254) as u8 + 1))
            }
            IpAddr::V6(own) => {
                let mut octets = [0; 16];
                octets.copy_from_slice(&self.hash("v6", &own.octets())[..16]);
                octets[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
                IpAddr::V6(Ipv6Addr::from(octets))
            }
        }
    }

    /// As many digits, the first of them none of 0.
    pub(super) fn digits(&self, word: &str) -> String {
        let first = self.letters("digits-first", word, b"123456789", 1);
        first + self.letters("digits", word, b"0123456789", word.len().saturating_sub(1)).as_str()
    }

    fn resource(&self, word: &str) -> Option<String> {
        let (kind, digits) = word.rsplit_once('-')?;
        let is_id = matches!(digits.len(), 8 | 17) && is_hexadecimal(digits) && RESOURCES.contains(&kind);
        is_id.then(|| format!("{kind}-{}", self.letters("id", word, b"0123456789abcdef", digits.len())))
    }

    fn identity(&self, word: &str) -> Option<String> {
        let kind = IDENTITIES.iter().find(|kind| word.starts_with(**kind))?;
        let rest = &word[kind.len()..];
        let is_id = rest.len() >= 12 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        is_id.then(|| {
            format!("{kind}{}", self.letters("identity", word, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", rest.len()))
        })
    }

    fn uuid(&self, word: &str) -> Option<String> {
        let parts: Vec<&str> = word.split('-').collect();
        let lengths = parts.iter().map(|part| part.len());
        if !lengths.eq([8, 4, 4, 4, 12]) || !parts.iter().all(|part| is_hexadecimal(part)) {
            return None;
        }
        let digits = self.letters("uuid", &word.to_ascii_lowercase(), b"0123456789abcdef", 32);
        Some([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
    }

    /// So many letters of an alphabet.
    fn letters(&self, purpose: &str, text: &str, alphabet: &[u8], count: usize) -> String {
        let mut out = String::with_capacity(count);
        let mut block = 0_u32;
        while out.len() < count {
            let hash = self.hash(purpose, &[text.as_bytes(), &block.to_be_bytes()].concat());
            let pairs = hash.chunks_exact(2).map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]])));
            out.extend(pairs.take(count - out.len()).map(|pair| char::from(alphabet[pair % alphabet.len()])));
            block += 1;
        }
        out
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_keep_the_shape() {
        let key = Key::new(b"a secret of some length");
        let shape = |word: &str| {
            let made = key.word(word);
            assert_ne!(made, word);
            assert_eq!(made, key.word(word));
            assert_ne!(made, Key::new(b"another secret").word(word));
            made
        };
        let account = shape("111122223333");
        assert!(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()), "{account}");
        for id in ["i-0a11b22c33d44e55f", "vol-12345678", "subnet-cidr-assoc-12345678"] {
            let made = shape(id);
            assert_eq!((made.len(), made.rsplit_once('-').unwrap().0), (id.len(), id.rsplit_once('-').unwrap().0));
        }
        let made = shape("AKIAIOSFODNN7EXAMPLE");
        assert!(made.starts_with("AKIA") && made.len() == 20 && key.identity(&made).is_some(), "{made}");
        assert!(key.uuid(&shape("6e1b0bb5-3a1f-4d0c-9f6f-0a1b2c3d4e5f")).is_some());
        assert!(shape("inventory.json.gz").ends_with(".json.gz") && shape("acme-12345678").starts_with("name-"));
        let documents: [ipnet::IpNet; 4] =
            ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"].map(|net| net.parse().unwrap());
        for address in ["10.1.2.3", "8.8.8.8", "2606:4700::1111", "::ffff:10.1.2.3"] {
            let made: IpAddr = shape(address).parse().unwrap();
            assert!(documents.iter().any(|net| net.contains(&made)), "{made}");
        }
        assert_eq!(key.word("::ffff:10.1.2.3"), key.word("10.1.2.3"));
        assert_eq!((key.word("0.0.0.0"), key.word("::")), ("0.0.0.0".to_owned(), "::".to_owned()));
    }
}
