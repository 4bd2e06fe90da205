//! Keys that sign packs: Ed25519, in the files that OpenSSL writes.
//!
//! *Law*: what is signed begins with what it is, so that a signature of something else is none of a pack.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::contents::hex;
use crate::error::Error;

/// What stands before a manifest where it is signed.
const OF_PACK: &[u8] = b"lawbook pack 1\n";

/// The head of an Ed25519 key in PKCS #8 (RFC 8410), before its 32 bytes.
const SECRET_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The head of an Ed25519 key in a `SubjectPublicKeyInfo` (RFC 8410), before its 32 bytes.
const PUBLIC_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0];

/// Files of keys are small.
const LARGEST: u64 = 16 << 10;

/// A key by which it is told who signed a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(pub(super) [u8; 32]);

/// A key that signs packs.
pub struct SecretKey(Ed25519KeyPair);

impl PublicKey {
    /// Reads a file: PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// When it cannot be read, or is no public Ed25519 key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let der = pem(path, "PUBLIC KEY")?;
        let key = der.strip_prefix(&PUBLIC_HEAD).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| no_key(path, "no public Ed25519 key"))
    }

    /// As it stands in a file.
    pub fn pem(&self) -> String {
        armoured("PUBLIC KEY", &[&PUBLIC_HEAD[..], &self.0].concat())
    }

    /// What people call it.
    pub fn name(&self) -> String {
        hex(&self.0)
    }

    /// Whether this key signed the manifest.
    pub(super) fn signed(&self, manifest: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(&[OF_PACK, manifest].concat(), signature).is_ok()
    }
}

impl SecretKey {
    /// Reads a file: PEM, as `openssl genpkey -algorithm ed25519` and [`SecretKey::generate`] write it.
    ///
    /// # Errors
    /// When it cannot be read, or is no Ed25519 key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let der = pem(path, "PRIVATE KEY")?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
        pair.map(Self).map_err(|_| no_key(path, "no Ed25519 key"))
    }

    /// Makes a key; its text, and what it is known by.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn generate() -> Result<(String, PublicKey), Error> {
        let failed = || Error::new("the machine gives no random bytes");
        let seed: [u8; 32] = ring::rand::generate(&SystemRandom::new()).map_err(|_| failed())?.expose();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| failed())?;
        Ok((armoured("PRIVATE KEY", &[&SECRET_HEAD[..], &seed].concat()), public(&pair)))
    }

    /// What it is known by.
    pub fn public(&self) -> PublicKey {
        public(&self.0)
    }

    /// Signs a manifest.
    pub(super) fn sign(&self, manifest: &[u8]) -> Vec<u8> {
        self.0.sign(&[OF_PACK, manifest].concat()).as_ref().to_vec()
    }
}

fn public(pair: &Ed25519KeyPair) -> PublicKey {
    let mut key = [0; 32];
    key.copy_from_slice(pair.public_key().as_ref());
    PublicKey(key)
}

fn no_key(path: &Path, reason: &str) -> Error {
    let example = "`lawbook pack keygen KEY` makes one";
    Error::new(format!("is {reason} in PEM")).about(path.display().to_string()).try_to(example)
}

/// The bytes between the lines that begin and end something in a file.
fn pem(path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    let about = |reason: String| Error::new(reason).about(path.display().to_string());
    let size = std::fs::metadata(path).map_err(|error| about(format!("cannot be read: {error}")))?.len();
    if size > LARGEST {
        return Err(no_key(path, "too large, and so no key"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| about(format!("cannot be read: {error}")))?;
    let inner = text.split_once(&format!("-----BEGIN {what}-----")).and_then(|(_, rest)| rest.split_once("-----END"));
    let Some((inner, _)) = inner else {
        return Err(match text.contains("PRIVATE KEY-----") {
            true => no_key(path, "a secret key, and no public one"),
            false => no_key(path, &format!("no {}", what.to_lowercase())),
        });
    };
    let compact: String = inner.split_whitespace().collect();
    STANDARD.decode(compact).map_err(|error| about(format!("is no PEM: {error}")))
}

fn armoured(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}
