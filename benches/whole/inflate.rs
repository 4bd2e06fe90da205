//! What a scan is compared with first: inflating the same files, and nothing else.

use std::fs;
use std::hint::black_box;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::read::MultiGzDecoder;
use libdeflater::Decompressor;

/// Inflates whole files with libdeflate: `inflate THREADS PATH...`.
pub(crate) const WHOLE: &str = "inflate";

/// Inflates one file as a stream: `inflate-stream FILE`.
pub(crate) const STREAM: &str = "inflate-stream";

/// The files at a path, or below it, in order.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Does something with every file, on so many threads, each of which takes the next; sums up the answers. `make` makes
/// what a thread needs once.
pub(crate) fn each<F: FnMut(&Path) -> io::Result<u64>>(
    threads: usize,
    files: &[PathBuf],
    make: impl Fn() -> io::Result<F> + Sync,
) -> io::Result<u64> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut run = make()?;
        let mut sum = 0;
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            sum += run(file)?;
        }
        Ok(sum)
    };
    thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working.into_iter().map(|one| one.join().unwrap_or_else(|_| Err(io::Error::other("a thread failed")))).sum()
    })
}

/// Prints the bytes of text.
pub(crate) fn whole(words: &[String]) -> io::Result<()> {
    let threads = number(words.first())?;
    let all: Vec<PathBuf> = words[1..].iter().flat_map(|path| files(Path::new(path))).collect();
    let sum = each(threads, &all, || {
        let mut decompressor = Decompressor::new();
        let (mut raw, mut text) = (Vec::new(), Vec::new());
        Ok(move |file: &Path| {
            raw.clear();
            fs::File::open(file)?.read_to_end(&mut raw)?;
            let size = raw.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size) as usize);
            if text.len() < size {
                text.resize(size, 0);
            }
            let size = decompressor.gzip_decompress(&raw, &mut text).map_err(io::Error::other)?;
            black_box(&text[..size]);
            Ok(size as u64)
        })
    })?;
    anstream::println!("{sum}");
    Ok(())
}

/// Prints the bytes of text.
pub(crate) fn stream(words: &[String]) -> io::Result<()> {
    let file = words.first().ok_or_else(|| io::Error::other("a file is missing"))?;
    let mut source = MultiGzDecoder::new(io::BufReader::with_capacity(1 << 17, fs::File::open(file)?));
    let mut text = vec![0; 1 << 17];
    let mut sum = 0;
    loop {
        let read = source.read(&mut text)?;
        if read == 0 {
            break;
        }
        sum += black_box(&text[..read]).len();
    }
    anstream::println!("{sum}");
    Ok(())
}

/// The number of threads that an argument names.
pub(crate) fn number(word: Option<&String>) -> io::Result<usize> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| io::Error::other("a number of threads is missing"))
}
