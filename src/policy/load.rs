//! Loads the policies of a pack, on all cores, and finds every mistake in them.
//!
//! What policies share is read once and each policy by one thread; what is found is put in the order of the files, so
//! that nothing depends on the number of threads.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::overrides::ByPolicy;
use super::{Checked, Overrides, Pack, Policy, header};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::script::{self, Limits, Reader, Shared};

/// Policies that one thread takes at a time.
const CHUNK: usize = 32;

/// Loads a pack; without `checks`, which cost most of the time, only what is wrong is found that keeps a policy from
/// being read.
pub(super) fn load(
    pack: &Pack,
    checks: bool,
    overrides: &Overrides,
    limits: &Limits,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let read = on_big_stack(|| {
        let against = checks.then(|| {
            let (shared, mistakes) = Shared::read(&pack.libraries, limits);
            diagnostics.extend(mistakes);
            shared
        });
        Loader { pack, against, overrides: overrides.by_policy(), limits }.policies()
    });
    let mut ids: BTreeMap<String, &str> = BTreeMap::new();
    let mut policies = Vec::new();
    for (source, (policy, mistakes)) in pack.policies.iter().zip(read) {
        let id = id_of(&source.file);
        if !is_kebab(&id) {
            diagnostics.push(
                Diagnostic::error("id", source, 0..0, format!("`{id}` is no id: lower-case words, digits and hyphens"))
                    .help("rename the file, such as `eip-disassociated.rhai`"),
            );
        }
        if let Some(other) = ids.insert(id.clone(), &source.file) {
            diagnostics.push(
                Diagnostic::error("id", source, 0..0, format!("`{id}` is the id of `{other}`, too"))
                    .help("rename one of the files"),
            );
        }
        diagnostics.extend(mistakes);
        policies.extend(policy);
    }
    if diagnostics.is_empty() {
        let mut checked = Checked::default();
        checked.extend(policies);
        return Ok(checked);
    }
    diagnostics.sort_by(|a, b| (&a.source.file, a.span.start, a.code).cmp(&(&b.source.file, b.span.start, b.code)));
    Err(diagnostics)
}

/// A policy, if its header can be read, and every mistake in its file.
type Read = (Option<Policy>, Vec<Diagnostic>);

/// Reads the policies of a pack, each by itself.
struct Loader<'a> {
    pack: &'a Pack,
    /// What the pack shares, to check policies against; nothing is checked without.
    against: Option<Shared>,
    overrides: ByPolicy<'a>,
    limits: &'a Limits,
}

impl Loader<'_> {
    /// What is read of every policy, in the order of the files.
    fn policies(&self) -> Vec<Read> {
        let chunks: Vec<&[Arc<SourceText>]> = self.pack.policies.chunks(CHUNK).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let reader = Reader::new(&self.pack.libraries, self.against.as_ref(), self.limits);
            let mut done: Vec<(usize, Vec<Read>)> = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(chunk) = chunks.get(at) else { return done };
                done.push((at, chunk.iter().map(|source| self.policy(source, &reader)).collect()));
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut done = std::thread::scope(|scope| {
            let others: Vec<_> = (1..cores.min(chunks.len()))
                .filter_map(|_| std::thread::Builder::new().stack_size(script::STACK).spawn_scoped(scope, work).ok())
                .collect();
            let mut done = work();
            for other in others {
                done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            done
        });
        done.sort_unstable_by_key(|(at, _)| *at);
        done.into_iter().flat_map(|(_, read)| read).collect()
    }

    fn policy(&self, source: &Arc<SourceText>, reader: &Reader<'_>) -> Read {
        let id = id_of(&source.file);
        let (header, doc, mut diagnostics) = header::read(source, self.against.is_some());
        let Some(header) = header else {
            // The script is still looked at: all mistakes in one run. What the header would have declared is unknown,
            // so what depends on it is left out.
            let nothing = script::Header { params: Value::Null, judges: "", uses: &[], needs: &[] };
            let independent = |code: &str| !matches!(code, "unknown-param" | "undeclared-kind");
            let remarks = reader.read(source, &nothing).diagnostics;
            diagnostics.extend(remarks.into_iter().filter(|diagnostic| independent(diagnostic.code)));
            return (None, diagnostics);
        };
        let names = || std::iter::once(id.as_str()).chain(header.formerly.iter().map(String::as_str));
        let mut params = serde_json::Map::new();
        for param in &header.params {
            params.insert(param.name.clone(), param.default.clone());
        }
        for (name, value) in self.overrides.params(names()) {
            // What does not fit is told by `Checked::accepts`, with the flag or the file that said it.
            if let Some(value) =
                header.params.iter().find(|param| param.name == name).and_then(|param| param.kind.accept(value).ok())
            {
                params.insert(name.to_owned(), value);
            }
        }
        let facts =
            script::Header { params: params.into(), judges: &header.judges, uses: &header.uses, needs: &header.needs };
        let checked = reader.read(source, &facts);
        diagnostics.extend(checked.diagnostics);
        let severity = self.overrides.severity(names());
        let policy = Policy {
            id: id.as_str().into(),
            pack: Arc::clone(&self.pack.name),
            file: source.file.clone(),
            header,
            doc,
            script: checked.script,
            severity,
        };
        (Some(policy), diagnostics)
    }
}

/// Runs something that compiles scripts on a stack that is large enough for the deepest of them.
fn on_big_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(script::STACK).spawn_scoped(scope, run);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("no thread could be started: {error}"),
        }
    })
}

pub(super) fn id_of(file: &str) -> String {
    Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_kebab(id: &str) -> bool {
    !id.is_empty()
        && id
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        && id.starts_with(|c: char| c.is_ascii_lowercase())
}
