//! The naive way, which Lawbook has to beat: every record becomes a Rhai map, and every script is called on it.
//!
//! It is not made slow on purpose: files are shared out to threads, scripts are compiled once, a record becomes a map once.
//! Each call gets a copy of the map, as Rhai's manual shows it; or, for whoever knows to ask for it, the same map. It has
//! no index, no limits and no report.

use std::fs;
use std::hint::black_box;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rhai::{AST, Dynamic, Engine, Scope};
use serde_json::Value;

use crate::inflate::{each, files, number};

/// Calls every policy on every record: `naive copied|shared THREADS PACK PATH`.
pub(crate) const NAIVE: &str = "naive";

/// Parses a file: `parse FILE`.
pub(crate) const PARSE: &str = "parse";

/// Prints the number of findings.
pub(crate) fn run(words: &[String]) -> io::Result<()> {
    let [map, threads, pack, path] = words else {
        return Err(io::Error::other("wanted are `copied` or `shared`, a number of threads, a pack and a path"));
    };
    let scripts = files(Path::new(pack));
    let found = each(number(Some(threads))?, &files(Path::new(path)), || {
        let naive = Naive::new(&scripts, map == "shared")?;
        Ok(move |file: &Path| naive.judge(file))
    })?;
    anstream::println!("{found}");
    Ok(())
}

struct Naive {
    engine: Engine,
    policies: Vec<AST>,
    is_shared: bool,
}

impl Naive {
    fn new(scripts: &[PathBuf], is_shared: bool) -> io::Result<Self> {
        let engine = Engine::new();
        let compile = |file: &PathBuf| engine.compile(fs::read_to_string(file)?).map_err(io::Error::other);
        let policies = scripts.iter().map(compile).collect::<io::Result<_>>()?;
        Ok(Self { engine, policies, is_shared })
    }

    /// The number of findings in a file.
    fn judge(&self, file: &Path) -> io::Result<u64> {
        let mut text = Vec::new();
        MultiGzDecoder::new(fs::File::open(file)?).read_to_end(&mut text)?;
        let log: Value = serde_json::from_slice(&text)?;
        let mut found = 0;
        for record in log["Records"].as_array().into_iter().flatten() {
            let map: Dynamic = rhai::serde::to_dynamic(record).map_err(|error| io::Error::other(error.to_string()))?;
            let record = if self.is_shared { map.into_shared() } else { map };
            for policy in &self.policies {
                if self.call::<bool>(policy, "matches", &record)? {
                    black_box(self.call::<String>(policy, "title", &record)?);
                    found += 1;
                }
            }
        }
        Ok(found)
    }

    fn call<T: Clone + 'static>(&self, policy: &AST, function: &str, record: &Dynamic) -> io::Result<T> {
        let answer = self.engine.call_fn(&mut Scope::new(), policy, function, (record.clone(),));
        answer.map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Prints the number of values at the top.
pub(crate) fn parse(words: &[String]) -> io::Result<()> {
    let file = words.first().ok_or_else(|| io::Error::other("a file is missing"))?;
    let value: Value = serde_json::from_slice(&fs::read(file)?)?;
    anstream::println!("{}", black_box(&value).as_object().map_or(1, serde_json::Map::len));
    Ok(())
}
