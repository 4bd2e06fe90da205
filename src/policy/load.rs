//! Loads the policies of a pack, on all cores, and finds every mistake in them.
//!
//! What policies share is read once and each policy by one thread; what is found is put in the order of the files, so
//! that nothing depends on the number of threads.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::front_matter::FrontMatter;
use super::overrides::ByPolicy;
use super::{Overrides, Pack, Policy, header};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::finding::Enforcement;
use crate::script::syntax::{Tokens, Tree};
use crate::script::{self, Limits, Reader, Shared};

/// Policies that one thread takes at a time.
const CHUNK: usize = 32;

/// What was read of a policy's file.
pub(crate) struct Draft<'a> {
    /// The file.
    pub(crate) source: &'a Arc<SourceText>,
    /// What its head says, if it is one.
    pub(crate) head: Option<&'a FrontMatter>,
    /// The policy, if its header can be read.
    pub(crate) policy: Option<&'a Policy>,
    /// What its script says, if it parses.
    pub(crate) tree: Option<&'a Tree>,
    /// What the pack's policies share.
    pub(crate) shared: &'a Shared,
}

/// What is asked about every policy beside what keeps it from running; in any thread.
pub(crate) type Inspect<'a> = &'a (dyn Fn(&Draft<'_>) -> Vec<Diagnostic> + Sync);

/// What a pack comes to.
pub(crate) struct Loaded {
    /// The policies whose headers can be read, in the order of the files.
    pub(crate) policies: Vec<Policy>,
    /// What is said of the pack, in no order.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What its policies share; nothing where nothing was checked.
    pub(crate) shared: Option<Shared>,
}

/// Loads a pack; without `inspect` nothing is checked, which costs most of the time, and only what is wrong is found that
/// keeps a policy from being read.
pub(crate) fn load(pack: &Pack, inspect: Option<Inspect<'_>>, overrides: &Overrides, limits: &Limits) -> Loaded {
    let mut diagnostics = Vec::new();
    let (read, shared) = on_big_stack(|| {
        let against = inspect.map(|inspect| {
            let (shared, mistakes) = Shared::read(&pack.libraries, limits);
            diagnostics.extend(mistakes);
            diagnostics.extend(pack.libraries.iter().filter_map(has_head));
            diagnostics.extend(hooks_of_libraries(pack, &shared));
            (shared, inspect)
        });
        let loader = Loader { pack, against, overrides: overrides.by_policy(), limits };
        (loader.policies(), loader.against.map(|(shared, _)| shared))
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
    Loaded { policies, diagnostics, shared }
}

/// A policy, if its header can be read, and every mistake in its file.
type Read = (Option<Policy>, Vec<Diagnostic>);

/// Reads the policies of a pack, each by itself.
struct Loader<'a> {
    pack: &'a Pack,
    /// What the pack shares, to check policies against, and what else is asked; nothing is checked without.
    against: Option<(Shared, Inspect<'a>)>,
    overrides: ByPolicy<'a>,
    limits: &'a Limits,
}

impl Loader<'_> {
    /// What is read of every policy, in the order of the files.
    fn policies(&self) -> Vec<Read> {
        let chunks: Vec<&[Arc<SourceText>]> = self.pack.policies.chunks(CHUNK).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let reader =
                Reader::new(&self.pack.libraries, self.against.as_ref().map(|(shared, _)| shared), self.limits);
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
        let (header, head, mut diagnostics) = header::read(source, self.against.is_some());
        let inspect = |policy: Option<&Policy>, tree: Option<&Tree>| match &self.against {
            Some((shared, inspect)) => inspect(&Draft { source, head: head.as_ref(), policy, tree, shared }),
            None => Vec::new(),
        };
        let Some(header) = header else {
            // The script is still looked at: all mistakes in one run. What the header would have declared is unknown,
            // so what depends on it is left out.
            let nothing = script::Header { params: Value::Null, judges: "", uses: &[], needs: &[], window: None };
            let has_window = head.as_ref().is_some_and(|head| head.yaml.get("window").is_some());
            let independent =
                |code: &str| !(matches!(code, "unknown-param" | "undeclared-kind") || has_window && code == "hook");
            let checked = reader.read(source, &nothing);
            diagnostics.extend(checked.diagnostics.into_iter().filter(|diagnostic| independent(diagnostic.code)));
            diagnostics.extend(inspect(None, checked.tree.as_ref()));
            return (None, diagnostics);
        };
        let ids = || std::iter::once(id.as_str()).chain(header.formerly.iter().map(String::as_str));
        let qualified: Vec<String> = ids().map(|id| format!("{}/{id}", self.pack.name)).collect();
        let names = || ids().chain(qualified.iter().map(String::as_str));
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
        let facts = script::Header {
            params: params.into(),
            judges: &header.judges,
            uses: &header.uses,
            needs: &header.needs,
            window: header.window.as_ref().map(|window| &window.named),
        };
        let checked = reader.read(source, &facts);
        diagnostics.extend(checked.diagnostics);
        let severity = self.overrides.severity(names());
        let policy = Policy {
            id: id.as_str().into(),
            pack: Arc::clone(&self.pack.name),
            file: source.file.clone(),
            area: self.pack.area_of(&source.file),
            header,
            doc: head.as_ref().map(|head| head.doc.clone()).unwrap_or_default(),
            script: checked.script,
            severity,
            enforcement: Enforcement::Fail,
        };
        diagnostics.extend(inspect(Some(&policy), checked.tree.as_ref()));
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

/// What is said of a library that begins as a policy does.
fn has_head(library: &Arc<SourceText>) -> Option<Diagnostic> {
    let start = library.text.len() - library.text.trim_start().len();
    let line = library.text[start..].lines().next()?.trim_end();
    if line.strip_prefix("//!")?.trim() != "---" {
        return None;
    }
    let message = "a library has no front matter: a policy in `lib/` is never asked";
    let diagnostic = Diagnostic::error("front-matter", library, start..start + line.len(), message);
    Some(diagnostic.help("move the file out of `lib/`"))
}

/// What is said of functions in libraries that are named as hooks are, which nobody calls: Lawbook calls those of policies
/// alone.
fn hooks_of_libraries(pack: &Pack, shared: &Shared) -> Vec<Diagnostic> {
    // Of a part of a pack nobody knows what the rest of it calls.
    if !pack.is_whole() {
        return Vec::new();
    }
    let with_window = script::Hooks { window: Some(&script::Named::default()) };
    let is_hook = |name: &str| [script::Hooks::default(), with_window].iter().any(|hooks| hooks.given(name).is_some());
    let mut said = Vec::new();
    // Of one that begins as a policy does enough is said.
    for (source, tree) in shared.libraries.iter().filter(|(source, _)| has_head(source).is_none()) {
        for function in tree.functions.iter().filter(|function| function.params.len() == 1 && is_hook(&function.name)) {
            let name = &function.name;
            if pack.policies.iter().chain(&*pack.libraries).any(|source| may_call(&source.text, name)) {
                continue;
            }
            let message = format!("`{name}` is never called: a hook is one in a policy's file, and not in a library");
            let diagnostic = Diagnostic::error("hook", source, function.span.clone(), message);
            said.push(diagnostic.help(format!("give it another name, and call it in the policies' `{name}`")));
        }
    }
    said
}

/// Whether a script may call a function of that name: where it is called, or pointed to.
fn may_call(text: &str, name: &str) -> bool {
    if !text.contains(name) {
        return false;
    }
    let tokens = Tokens::of(text);
    let tokens: Vec<&str> = tokens.within(&(0..text.len())).iter().map(|token| &text[token.clone()]).collect();
    let pointed = [format!("\"{name}\""), format!("`{name}`")];
    tokens.iter().enumerate().any(|(at, token)| {
        let before = at.checked_sub(1).map_or("", |before| tokens[before]);
        let after = tokens.get(at + 1).copied().unwrap_or_default();
        let is_member = matches!(before, "." | "?.") && after != "(" || after == ":";
        *token == name && before != "fn" && !is_member || before == "(" && pointed.iter().any(|text| text == token)
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
