//! Says of what an API answered to a question about logs whether it is all of the answer.
//!
//! Sources: the references of CloudTrail Lake's `GetQueryResults`, CloudTrail's `LookupEvents`, CloudWatch Logs'
//! `FilterLogEvents` and `GetQueryResults`, and the search API of OpenSearch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::discover::File;
use super::garbage::quoted;
use crate::fault::Fault;
use crate::record::{Kind, Origin, Ref};

/// The last page of answers in a file, as far as it was read: two times its line, and one more if it says that another
/// follows; 0 if there is none.
#[derive(Debug, Default)]
pub(super) struct Pages(AtomicU64);

impl Pages {
    /// Notes the page that begins on a line.
    pub(super) fn note(&self, line: u64, goes_on: bool) {
        self.0.fetch_max((line + 1) << 1 | u64::from(goes_on), Ordering::Relaxed);
    }

    /// Whether the last page says that another follows; `None` if there is no page.
    fn go_on(&self) -> Option<bool> {
        let last = self.0.load(Ordering::Relaxed);
        (last > 0).then_some(last & 1 == 1)
    }
}

/// Whether an answer says that another page follows; `None` for what is no page.
pub(super) fn goes_on(view: Ref<'_>) -> Option<bool> {
    let token = ["NextToken", "nextToken"].iter().find_map(|name| view.text(&[name]));
    let is_page = || ["QueryResultRows", "Events", "events"].iter().any(|name| view.get(name).is_some());
    token.map(|token| !token.is_empty()).or_else(|| is_page().then_some(false))
}

/// Why an answer has not all records that were asked for, where it says so itself.
pub(super) fn shortfall(view: Ref<'_>) -> Option<String> {
    if let Some(status) = view.text(&["QueryStatus"]).filter(|status| *status != "FINISHED") {
        return Some(format!(
            "the query of CloudTrail Lake was {} when this was fetched; fetch it again",
            quoted(status)
        ));
    }
    let is_insights = view.get("results").is_some_and(|results| results.kind() == Kind::List);
    if let Some(status) = view.text(&["status"]).filter(|status| is_insights && *status != "Complete") {
        return Some(format!(
            "the query of Logs Insights was {} when this was fetched; fetch it again",
            quoted(status)
        ));
    }
    let is_search = view.path(&["hits", "hits"]).is_some();
    let failed = view.path(&["_shards", "failed"]).and_then(Ref::as_f64).unwrap_or_default();
    let timed_out = view.get("timed_out").and_then(Ref::as_bool) == Some(true);
    (is_search && (timed_out || failed > 0.0))
        .then(|| "the search timed out, or parts of the index did not answer; search again".to_owned())
}

/// What is to be said of files whose last page says that another follows, unless the last page of another file of their
/// folder ends the answer.
pub fn unfinished(files: &[File]) -> Vec<Fault> {
    let mut folders: BTreeMap<Option<PathBuf>, Vec<(&File, bool)>> = BTreeMap::new();
    for file in files {
        if let Some(goes_on) = file.pages.go_on() {
            let folder = file.path().and_then(Path::parent).map(Path::to_owned);
            folders.entry(folder).or_default().push((file, goes_on));
        }
    }
    let open = folders.into_values().filter(|pages| pages.iter().all(|(_, goes_on)| *goes_on)).flatten();
    open.map(|(file, _)| {
        let origin = Origin { file: file.name.clone(), position: 0, line: None };
        Fault::input(
            "the answer goes on (`NextToken`), and its last page is not here; fetch the pages that follow",
            origin,
        )
    })
    .collect()
}
