//! Says what is wrong with files of cases without running them.

use std::path::Path;
use std::sync::Arc;

use super::case::{Case, Expect};
use super::fields::misspelt;
use super::file::{CASES, file_of, load, parse};
use crate::diagnostic::{Diagnostic, Level, SourceText, did_you_mean};
use crate::policy::{Checked, Pack};
use crate::schema::Shapes;

/// Everything that is wrong with the files of cases of a pack: those beside its policies, and those in `folder`, where it
/// was read from one, that are beside none. Of a pack that is not on disk there are none. Cases of a policy that is in
/// `checked` are read as `lawbook test` reads them; of one that does not load, only their form is looked at.
pub fn check(pack: &Pack, checked: &Checked, folder: Option<&Path>, shapes: &Shapes) -> Vec<Diagnostic> {
    if !pack.is_on_disk() {
        return Vec::new();
    }
    let mut files: Vec<String> =
        pack.files().map(|policy| file_of(policy).display().to_string()).filter(|file| is_file(file)).collect();
    files.extend(folder.into_iter().flat_map(below));
    files.sort();
    files.dedup();
    files.into_iter().flat_map(|file| in_file(pack, checked, file, shapes)).collect()
}

fn is_file(file: &str) -> bool {
    Path::new(file).is_file()
}

/// The files of cases in a folder and below; what cannot be read there was told when its policies were.
fn below(folder: &Path) -> Vec<String> {
    let is_hidden = |entry: &walkdir::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let entries = walkdir::WalkDir::new(folder).follow_links(true).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file() && !is_hidden(entry));
    let is_wanted = |path: &Path| is_misnamed(path) || path.to_string_lossy().ends_with(CASES);
    files
        .map(walkdir::DirEntry::into_path)
        .filter(|path| is_wanted(path))
        .map(|path| path.display().to_string())
        .collect()
}

fn in_file(pack: &Pack, checked: &Checked, file: String, shapes: &Shapes) -> Vec<Diagnostic> {
    let read = std::fs::read_to_string(&file);
    let problem = read.as_ref().err().map(|error| format!("cannot be read: {error}"));
    let source = Arc::new(SourceText { file, text: read.unwrap_or_default() });
    if let Some(problem) = problem {
        return vec![Diagnostic::error("cases", &source, 0..0, problem)];
    }
    let policy = source.file.strip_suffix(CASES).map(|stem| format!("{stem}.rhai")).unwrap_or_default();
    let mistakes = match checked.policies().iter().find(|known| known.file == policy) {
        Some(known) => {
            let fields = parse(&source).map(|tree| misspelt(known, &source, &tree, shapes));
            let mistakes = match load(known, &source) {
                Ok(cases) => never_fires(&source, &cases).into_iter().collect(),
                Err(mistakes) => mistakes,
            };
            Some([mistakes, fields.unwrap_or_default()].concat())
        }
        None => parse(&source).err(),
    };
    let mut mistakes = mistakes.unwrap_or_default();
    if !pack.files().any(|file| file == policy) {
        let id = |file: &str| Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let ids: Vec<String> = pack.files().filter_map(id).collect();
        mistakes.push(of_nobody(&source, &ids));
    }
    mistakes
}

/// What is said of cases of which none fires: a condition that is never true passes them all.
fn never_fires(source: &Arc<SourceText>, cases: &[Case]) -> Option<Diagnostic> {
    let first = cases.first().filter(|_| !cases.iter().any(|case| case.expect == Expect::Fires))?;
    let told = Diagnostic::error("no-cases", source, first.span.clone(), "no case of the policy expects that it fires");
    let told = told.help("add one with a record of which the policy has a finding");
    Some(Diagnostic { level: Level::Warning, ..told })
}

/// True for what looks like a file of cases and is not read as one.
pub(super) fn is_misnamed(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    [".cases.yml", ".case.yaml", ".case.yml"].iter().any(|end| name.ends_with(end))
}

/// What is said of cases of which no policy of these ids is beside them.
pub(super) fn of_nobody(source: &Arc<SourceText>, ids: &[String]) -> Diagnostic {
    let name = Path::new(&source.file).file_name().unwrap_or_default().to_string_lossy();
    let id = name.split_once(".case").map_or(&*name, |(id, _)| id);
    let end = source.text.find('\n').map_or(source.text.len(), |at| source.text[..at].trim_end().len());
    let said = |message: String| Diagnostic::error("cases", source, 0..end, message);
    if is_misnamed(Path::new(&source.file)) {
        return said(format!("`{name}` is not read: cases stand in files that end in `{CASES}`"))
            .help(format!("rename it to `{id}{CASES}`"));
    }
    let diagnostic = said(format!("these are the cases of `{id}`, and there is no such policy beside them"));
    match did_you_mean(id, ids.iter().map(String::as_str)) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}{CASES}`?")),
        None => diagnostic.help("rename the file as its policy, or remove it"),
    }
}
