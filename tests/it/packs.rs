//! Packs in one file, their signatures, their lock, and packs beside each other.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

struct Ran {
    code: i32,
    out: String,
    err: String,
}

struct Desk(tempfile::TempDir);

const CASES: &str = "cases:
  - name: a volume in the clear
    record: { VolumeId: vol-1, Encrypted: false }
    expect: fires
  - name: an encrypted one
    record: { VolumeId: vol-1, Encrypted: true }
    expect: silent
";

fn policy(title: &str) -> String {
    format!(
        "//! ---\n//! title: {title}\n//! severity: high\n//! judges: ec2/volumes\n//! params: {{ all: {{ type: bool, default: false, doc: d }} }}\n//! ---\n\
         fn matches(volume) {{ params.all || is_plain(volume) }}\n"
    )
}

impl Desk {
    /// A folder with a pack that passes its tests, and a volume that it finds.
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.pack("pack", "mine", "Volume in the clear");
        desk.write(
            "in/111122223333/us-east-1/ec2/describe-volumes.json",
            json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": false }] }).to_string(),
        );
        desk
    }

    fn pack(&self, folder: &str, name: &str, title: &str) {
        self.write(
            &format!("{folder}/pack.yaml"),
            format!("lawbook: 1\nname: {name}\nversion: 1.2.0\ndescription: Volumes.\n"),
        );
        self.write(&format!("{folder}/storage/volume-plain.rhai"), policy(title));
        self.write(&format!("{folder}/storage/volume-plain.cases.yaml"), CASES);
        self.write(&format!("{folder}/lib/volumes.rhai"), "fn is_plain(volume) { volume.Encrypted == false }\n");
        self.write(&format!("{folder}/README.md"), "# Ours\n");
        let ran = self.run(&["test", folder]);
        let ran = if ran.code == 0 { ran } else { self.run(&["review", folder, "--accept"]) };
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(self.path().join(format!("{folder}/storage/volume-plain.snap")).exists());
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = crate::cli::lawbook();
        command.args(args).current_dir(self.path()).stdin(Stdio::null()).env_remove("CI");
        command.env("LAWBOOK_CACHE", self.path().join(".cache"));
        let out = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: out.status.code().unwrap(), out: text(out.stdout), err: text(out.stderr) }
    }

    #[track_caller]
    fn succeeds(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.out, ran.err);
        ran.out
    }

    #[track_caller]
    fn fails(&self, args: &[&str], told: &str) {
        let ran = self.run(args);
        assert!(ran.code == 2 && ran.err.contains(told), "{args:?}: wanted {told}\n{}{}", ran.out, ran.err);
    }

    /// The findings of a scan: pack, policy, fingerprint.
    fn found(&self, args: &[&str]) -> Vec<(String, String, String)> {
        let ran = self.run(&[&["scan", "in", "--format", "json"][..], args].concat());
        assert!(ran.code < 2, "{args:?}: {}", ran.err);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let of = |finding: &Value| (text(finding, "pack"), text(finding, "policy"), text(finding, "fingerprint"));
        report["findings"].as_array().unwrap().iter().map(of).collect()
    }
}

/// The entries of an archive, in their order.
fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let read = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

/// An entry as somebody may make it.
struct Entry {
    path: String,
    bytes: Vec<u8>,
    kind: tar::EntryType,
}

fn plain(path: &str, bytes: impl AsRef<[u8]>) -> Entry {
    Entry { path: path.to_owned(), bytes: bytes.as_ref().to_vec(), kind: tar::EntryType::Regular }
}

fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for Entry { path, bytes, kind } in entries {
        let mut header = tar::Header::new_ustar();
        // As it is: the library would refuse what is tried here.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A manifest for these files, as whoever made the archive would write it.
fn manifest(files: &[(&str, &[u8])]) -> String {
    let hashes: BTreeMap<&str, String> = files.iter().map(|(path, bytes)| (*path, hash(bytes))).collect();
    let run: String = (hashes.iter())
        .filter(|(path, _)| path.ends_with(".rhai") || **path == "pack.yaml")
        .map(|(path, hash)| format!("{hash} {path}\n"))
        .collect();
    let whole = hash(format!("lawbook pack 1\nmine\n{run}").as_bytes());
    json!({ "lawbook_pack": 1, "name": "mine", "version": "1.0.0", "hash": whole, "files": hashes }).to_string()
}

const NAMED: &[u8] = b"name: mine\nversion: 1.0.0\n";
const LONE: &[u8] = b"//! ---\n//! title: T\n//! severity: low\n//! judges: ec2/volumes\n//! ---\nfn matches(volume) { volume.Encrypted == false }\n";

#[test]
fn an_archive_judges_as_its_folder_does() {
    let desk = Desk::new();
    let out = desk.succeeds(&["pack", "build", "pack"]);
    assert!(out.starts_with("wrote mine-1.2.0.tar.gz: mine 1.2.0, 6 files\n"), "{out}");
    let archive = ["--pack", "mine-1.2.0.tar.gz"];
    let found = desk.found(&archive);
    assert_eq!((found.len(), &found), (1, &desk.found(&["--pack", "pack"])));
    assert!(
        desk.succeeds(&["show", "volume-plain", archive[0], archive[1]])
            .contains("mine-1.2.0.tar.gz/storage/volume-plain.rhai")
    );
    assert_eq!(desk.succeeds(&["check", archive[1]]), "1 policy loads.\n");
    let listed: Vec<String> = entries(&desk.read(archive[1])).into_iter().map(|(path, _)| path).collect();
    let files = [
        "README.md",
        "lib/volumes.rhai",
        "pack.yaml",
        "storage/volume-plain.cases.yaml",
        "storage/volume-plain.rhai",
        "storage/volume-plain.snap",
    ];
    assert_eq!(listed, [&["lawbook-pack.json"][..], &files].concat());
    let before = desk.read(archive[1]);
    desk.fails(&["scan", "in", archive[0], archive[1], "--report", "json=mine-1.2.0.tar.gz"], "would take its place");
    assert_eq!(before, desk.read(archive[1]));
    // What it was built of has its hash, and what it is unpacked to.
    let hash = out.lines().nth(1).unwrap().trim().strip_prefix("hash").unwrap().trim().to_owned();
    assert!(desk.succeeds(&["pack", "verify", archive[1]]).contains(&hash));
    for (path, bytes) in entries(&desk.read(archive[1])) {
        desk.write(&format!("unpacked/{path}"), bytes);
    }
    assert!(desk.succeeds(&["pack", "build", "unpacked", "-o", "again.tar.gz"]).contains(&hash));
    assert_eq!(desk.read("again.tar.gz"), desk.read(archive[1]));
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let desk = Desk::new();
    desk.succeeds(&["pack", "build", "pack", "-o", "one.tar.gz"]);
    // In another order, at another time, with other rights, and with what is no part of it.
    for (path, bytes) in
        entries(&desk.read("one.tar.gz")).into_iter().rev().filter(|(path, _)| !path.starts_with("lawbook"))
    {
        desk.write(&format!("copy/{path}"), bytes);
        let file = std::fs::File::options().write(true).open(desk.path().join("copy").join(&path)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400)).unwrap();
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    for junk in
        ["notes.txt", ".hidden.rhai", ".git/x.rhai", "secret.pem", "storage/volume-plain.rhai.bak", "old.tar.gz"]
    {
        desk.write(&format!("copy/{junk}"), "x");
    }
    desk.succeeds(&["pack", "build", "copy/", "-o", "two.tar.gz"]);
    let (one, two) = (desk.read("one.tar.gz"), desk.read("two.tar.gz"));
    assert!(one == two, "{} and {} bytes", one.len(), two.len());
    // No time, no name, no system.
    assert_eq!(&one[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(one.as_slice()));
    for entry in tar.entries().unwrap() {
        let header = entry.unwrap().header().clone();
        let is = (header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap());
        assert_eq!(
            (is, header.username(), header.entry_type()),
            ((0, 0, 0, 0o644), Ok(Some("")), tar::EntryType::Regular)
        );
    }
    // One byte more is another pack.
    desk.write("copy/lib/volumes.rhai", "fn is_plain(volume) { volume.Encrypted == false } \n");
    desk.succeeds(&["pack", "build", "copy", "-o", "two.tar.gz"]);
    assert!(desk.read("two.tar.gz") != one);
}

#[test]
fn what_cases_are_made_of_is_packed_with_them() {
    let desk = Desk::new();
    desk.write(
        "pack/storage/volumes.json",
        json!({ "Volumes": [{ "VolumeId": "vol-9", "Encrypted": true }] }).to_string(),
    );
    desk.write("pack/storage/other.json", "{}");
    let more = "  - name: of a file\n    file: volumes.json\n    expect: silent\n";
    desk.write("pack/storage/volume-plain.cases.yaml", format!("{CASES}{more}"));
    desk.run(&["test", "pack"]);
    desk.succeeds(&["review", "pack", "--accept"]);
    desk.succeeds(&["pack", "build", "pack", "-o", "p.tar.gz"]);
    let listed: Vec<String> = entries(&desk.read("p.tar.gz")).into_iter().map(|(path, _)| path).collect();
    assert!(
        listed.contains(&"storage/volumes.json".to_owned()) && !listed.contains(&"storage/other.json".to_owned()),
        "{listed:?}"
    );
}

/// The archive of `pack`, unpacked to a folder of its own, as `tar` would.
fn unpacked(desk: &Desk) -> Vec<String> {
    let _ = std::fs::remove_dir_all(desk.path().join("unpacked"));
    desk.succeeds(&["pack", "build", "pack", "-o", "p.tar.gz"]);
    let entries = entries(&desk.read("p.tar.gz"));
    entries.iter().for_each(|(path, bytes)| desk.write(&format!("unpacked/{path}"), bytes));
    entries.into_iter().map(|(path, _)| path).collect()
}

/// Cases of `volume-plain`, one of which is made of something.
fn made_of(desk: &Desk, more: &str) {
    desk.write("pack/storage/volume-plain.cases.yaml", format!("{CASES}  - name: made of more\n    {more}\n"));
    let _ = std::fs::remove_file(desk.path().join("pack/storage/volume-plain.snap"));
    desk.run(&["test", "pack"]);
    desk.succeeds(&["review", "pack", "--accept"]);
}

const RECORD: &str = "record: { VolumeId: vol-1, Encrypted: true }\n    expect: silent\n    inventory: ";

#[test]
fn an_archive_passes_the_tests_that_its_folder_passes_whatever_cases_are_made_of() {
    let desk = Desk::new();
    let volumes = |id: &str| json!({ "Volumes": [{ "VolumeId": id, "Encrypted": false }] }).to_string();
    for place in ["data/log.json", "storage/near.json", "storage/.hidden.json", "data/deep/a.json"] {
        desk.write(&format!("pack/{place}"), volumes("vol-1"));
    }
    desk.write("pack/data/many/1.json", volumes("vol-1"));
    desk.write("pack/data/many/2.json", volumes("vol-2"));
    desk.write("pack/data/many/.3.json", volumes("vol-3"));
    for (more, holds, lacks) in [
        ("file: ../data/log.json\n    expect: fires", "data/log.json", "data/deep/a.json"),
        ("file: near.json\n    expect: fires", "storage/near.json", "data/log.json"),
        ("file: ./../storage/./near.json\n    expect: fires", "storage/near.json", "data/log.json"),
        ("file: .hidden.json\n    expect: fires", "storage/.hidden.json", "storage/near.json"),
        ("file: ../data/deep/a.json\n    with: { Size: 1 }\n    expect: fires", "data/deep/a.json", "data/log.json"),
        // Of a folder all is packed, since what is selected is told by its place among the others.
        ("file: ../data/many\n    select: '$[1]'\n    expect: fires", "data/many/1.json", "data/many/.3.json"),
        ("file: ../data/many/\n    each: true\n    expect: fires", "data/many/2.json", "data/many/.3.json"),
        (&format!("{RECORD}../data"), "data/deep/a.json", "storage/near.json"),
        (&format!("{RECORD}../data/log.json"), "data/log.json", "storage/near.json"),
    ] {
        made_of(&desk, more);
        let listed = unpacked(&desk);
        let has = |path: &str| listed.iter().any(|listed| listed == path);
        assert!(has(holds) && !has(lacks), "{more}: {listed:?}");
        // The data is nowhere else.
        let out = desk.succeeds(&["test", "unpacked", "--ci"]);
        assert!(out.contains(" passed in ") && !out.contains("failed"), "{more}: {out}");
        desk.succeeds(&["check", "unpacked"]);
    }
}

#[test]
fn a_pack_whose_cases_need_what_no_archive_holds_is_not_built() {
    let desk = Desk::new();
    let volumes = json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": false }] }).to_string();
    for place in ["outside/log.json", "pack/data/log.json", "pack-2/log.json"] {
        desk.write(place, &volumes);
    }
    for folder in ["pack/empty", "pack/nothing"] {
        std::fs::create_dir_all(desk.path().join(folder)).unwrap();
    }
    let absolute = format!("file: {}\n    expect: fires", desk.path().join("pack/data/log.json").display());
    let outside = "is outside of the pack, so the archive would lack it (try: ";
    for (more, told) in [
        ("file: ../../outside/log.json\n    expect: fires", outside),
        ("file: ../../pack-2/log.json\n    expect: fires", outside),
        ("file: ../../pack/data/log.json\n    expect: fires", outside),
        (&absolute, outside),
        (&format!("{RECORD}../../outside"), outside),
        (&format!("{RECORD}.."), "`..` is the whole pack"),
        (&format!("{RECORD}../storage/.."), "is the whole pack"),
        (&format!("{RECORD}../empty"), "`../empty` holds no file"),
        ("file: ../nothing/../data/log.json\n    expect: fires", "leads through `nothing`"),
    ] {
        made_of(&desk, more);
        desk.fails(&["pack", "build", "pack", "-o", "p.tar.gz"], told);
        desk.fails(&["pack", "build", "pack", "-o", "p.tar.gz"], "pack/storage/volume-plain.cases.yaml: `");
        assert!(!desk.path().join("p.tar.gz").exists(), "{more}");
    }
}

#[cfg(unix)]
#[test]
fn links_in_a_pack_are_files_of_the_archive_or_no_way_through() {
    let desk = Desk::new();
    let volumes = json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": false }] }).to_string();
    desk.write("outside/deep/log.json", &volumes);
    desk.write("outside/log.json", &volumes);
    std::os::unix::fs::symlink("../outside/deep", desk.path().join("pack/linked")).unwrap();
    made_of(&desk, "file: ../linked/log.json\n    expect: fires");
    assert!(unpacked(&desk).contains(&"linked/log.json".to_owned()));
    desk.succeeds(&["test", "unpacked", "--ci"]);
    // Behind the link the folder above is another one.
    made_of(&desk, "file: ../linked/../log.json\n    expect: fires");
    desk.fails(&["pack", "build", "pack", "-o", "q.tar.gz"], "is outside of the pack");
}

#[test]
fn who_tests_an_archive_is_told_to_unpack_it() {
    let desk = Desk::new();
    desk.succeeds(&["pack", "build", "pack", "-o", "p.tar.gz"]);
    desk.fails(&["test", "p.tar.gz"], "p.tar.gz: is an archive, and cases are run in a folder (try: `tar -xzf`");
    desk.fails(&["test", "q.tar.gz"], "q.tar.gz: there is no such file or folder");
    desk.fails(&["pack", "build", "pack", "-o", "-"], "-: is standard output, and this is written to a file");
    assert!(!desk.path().join("-").exists());
}

#[test]
fn a_pack_that_is_not_sound_is_not_built() {
    let desk = Desk::new();
    let build = ["pack", "build", "pack", "-o", "p.tar.gz"];
    let good = desk.read("pack/storage/volume-plain.rhai");
    for (file, text, told) in [
        ("pack/storage/volume-plain.rhai", policy("T").replace("is_plain", "is_plian"), "unknown-function"),
        ("pack/storage/volume-plain.rhai", policy("Another title"), "does not pass its tests: 1 snapshot differs"),
        (
            "pack/storage/volume-plain.rhai",
            policy("Volume in the clear").replace("params.all ||", "!"),
            "does not pass its tests",
        ),
        ("pack/storage/volume-plain.cases.yaml", "cases: []\n".to_owned(), ""),
        ("pack/storage/volume-plain.cases.yaml", CASES.replace("expect:", "expct:"), "expct"),
        ("pack/pack.yaml", "name: mine\n".to_owned(), "pack.yaml: says no `version`"),
        ("pack/pack.yaml", "name: mine\nversion: 1.0\n".to_owned(), "pack.yaml:2:10: `1.0` is no version"),
        (
            "pack/pack.yaml",
            "name: mine\nversion: 1.0.0\nneeds: { lawbook: '>=9' }\n".to_owned(),
            "pack.yaml:3:19: the pack needs Lawbook >=9, and this is 0.",
        ),
        (
            "pack/pack.yaml",
            "name: mine\nversion: 1.0.0\nneeds: { lawbok: '>=9' }\n".to_owned(),
            "unknown key `lawbok` (try: did you mean `lawbook`?)",
        ),
        (
            "pack/pack.yaml",
            "name: mine\nversion: 1.0.0\nneeds: { lawbook: new }\n".to_owned(),
            "`new` asks for no version",
        ),
    ] {
        let before = desk.read(file);
        desk.write(file, text);
        desk.fails(&build, told);
        assert!(!desk.path().join("p.tar.gz").exists(), "{told}");
        desk.write(file, before);
    }
    assert_eq!(desk.read("pack/storage/volume-plain.rhai"), good);
    desk.fails(&["pack", "build", "pack", "-o", "pack/storage/volume-plain.snap"], "is a file of the pack");
    desk.fails(&["pack", "build", "in"], "holds no policy");
    desk.write("pack/pack.yaml", "name: mine\nversion: 1.2.0\nneeds: { lawbook: '>=0.1.0' }\n");
    desk.succeeds(&build);
    std::fs::remove_file(desk.path().join("pack/pack.yaml")).unwrap();
    desk.fails(&build, "");
}

#[test]
fn hostile_archives_are_refused_and_nothing_is_written() {
    let desk = Desk::new();
    let sound: [(&str, &[u8]); 2] = [("a.rhai", LONE), ("pack.yaml", NAMED)];
    let head = |files: &[(&str, &[u8])]| plain("lawbook-pack.json", manifest(files));
    let two = || vec![head(&sound), plain("a.rhai", LONE), plain("pack.yaml", NAMED)];
    let with = |entry: Entry| {
        let mut all = two();
        all.push(entry);
        gzip(&tar_of(&all))
    };
    // One more file that the manifest has.
    let listed = |path: &str, bytes: &[u8]| {
        let files = [sound[0], sound[1], (path, bytes)];
        gzip(&tar_of(&[head(&files), plain("a.rhai", LONE), plain("pack.yaml", NAMED), plain(path, bytes)]))
    };
    let link = |kind| Entry { kind, ..plain("b.rhai", "") };
    let good = gzip(&tar_of(&two()));
    let tar = tar_of(&two());
    let other = |text: &str| {
        gzip(&tar_of(&[plain("lawbook-pack.json", text), plain("a.rhai", LONE), plain("pack.yaml", NAMED)]))
    };
    let changed = |from: &str, to: &str| other(&manifest(&sound).replace(from, to));
    let mut behind = tar_of(&two());
    behind.extend(tar_of(&[plain("b.rhai", LONE)]));
    desk.write("good.tar.gz", &good);
    assert_eq!(desk.succeeds(&["check", "good.tar.gz"]).trim(), "1 policy loads.");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (with(plain("b.rhai", LONE)), "`b.rhai` is not in its manifest"),
        (listed("../b.rhai", LONE), "`../b.rhai` is no name of a file in a pack"),
        (listed("/etc/b.rhai", LONE), "`/etc/b.rhai` is no name"),
        (listed("x/../../b.rhai", LONE), "is no name"),
        (listed("x\\..\\b.rhai", LONE), "is no name"),
        (listed("C:b.rhai", LONE), "is no name"),
        (listed("./b.rhai", LONE), "is no name"),
        (listed("x//b.rhai", LONE), "is no name"),
        (listed("x\u{1b}[31m.rhai", LONE), "is no name"),
        (with(plain("a.rhai", LONE)), "`a.rhai` is in it twice"),
        (listed("A.rhai", LONE), "`A.rhai` is in it twice"),
        (with(link(tar::EntryType::Symlink)), "`b.rhai` is no plain file"),
        (with(link(tar::EntryType::Link)), "is no plain file"),
        (with(link(tar::EntryType::Char)), "is no plain file"),
        (with(link(tar::EntryType::Block)), "is no plain file"),
        (with(link(tar::EntryType::Fifo)), "is no plain file"),
        (with(link(tar::EntryType::Directory)), "is no plain file"),
        (with(link(tar::EntryType::XHeader)), "is no plain file"),
        (with(link(tar::EntryType::XGlobalHeader)), "is no plain file"),
        (with(link(tar::EntryType::GNULongName)), "is no plain file"),
        (with(link(tar::EntryType::GNUSparse)), "is no plain file"),
        (gzip(&tar_of(&[head(&sound), plain("a.rhai", LONE)])), "`pack.yaml` is in its manifest, and nowhere else"),
        (
            gzip(&tar_of(&[head(&sound), plain("a.rhai", [LONE, b" "].concat()), plain("pack.yaml", NAMED)])),
            "`a.rhai` is not what its manifest says",
        ),
        (
            gzip(&tar_of(&[plain("a.rhai", LONE), head(&sound), plain("pack.yaml", NAMED)])),
            "does not begin with `lawbook-pack.json`",
        ),
        (gzip(&tar_of(&[plain("a.rhai", LONE), plain("pack.yaml", NAMED)])), "does not begin with"),
        (gzip(&tar_of(&[head(&[sound[0]]), plain("a.rhai", LONE)])), "has no `pack.yaml`"),
        (changed("\"lawbook_pack\":1", "\"lawbook_pack\":2"), "manifest is of version 2"),
        (changed("\"name\":\"mine\"", "\"name\":\"yours\""), "contradict each other"),
        (changed("\"version\":\"1.0.0\"", "\"version\":\"9.0.0\""), "contradict each other"),
        (changed("\"hash\":\"", "\"hash\":\"0"), "contradict each other"),
        (changed("\"name\"", "\"more\":1,\"name\""), "manifest cannot be read"),
        (other("{"), "manifest cannot be read"),
        (gzip(&behind), "something behind its last entry"),
        ([good.clone(), good.clone()].concat(), "something behind its end"),
        ([good.clone(), b"x".to_vec()].concat(), "something behind its end"),
        (good[..good.len() - 1].to_vec(), "is cut off"),
        (good[..good.len() / 2].to_vec(), "is cut off"),
        (gzip(&tar[..tar.len() - 1024]), "is cut off"),
        (gzip(&tar[..tar.len() - 600]), "is cut off"),
        (gzip(&tar[..1100]), "is cut off"),
        (gzip(b"no tar at all"), "is no sound pack"),
        (gzip(b""), "is no sound pack"),
        (b"no gzip at all".to_vec(), "cannot be inflated"),
        (Vec::new(), "is no sound pack"),
        (gzip(&vec![0; 65 << 20]), "inflates to more than 64 MiB"),
        (listed("big.md", &vec![b'x'; (8 << 20) + 1]), "has more than 8 MiB"),
        (listed("b.rhai", b"\xff"), "no text in UTF-8"),
    ];
    let before: Vec<_> =
        walkdir::WalkDir::new(desk.path()).into_iter().map(|entry| entry.unwrap().into_path()).collect();
    for (bytes, told) in cases {
        desk.write("good.tar.gz", &bytes);
        desk.fails(&["scan", "in", "--pack", "good.tar.gz"], told);
        assert!(!desk.run(&["scan", "in", "--pack", "good.tar.gz"]).err.contains('\u{1b}'));
        let after: Vec<_> =
            walkdir::WalkDir::new(desk.path()).into_iter().map(|entry| entry.unwrap().into_path()).collect();
        assert_eq!(before, after, "{told}");
    }
    // Its own program says the same of it.
    assert!(desk.run(&["pack", "verify", "good.tar.gz"]).code == 0, "what it holds is as its manifest says");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of the bytes: it is the same pack, or it is refused.
    #[test]
    fn a_damaged_archive_is_refused(at in 0_usize..10_000, bit in 0_u8..8, cut in proptest::option::of(0_usize..10_000), inner in any::<bool>()) {
        let sound: [(&str, &[u8]); 2] = [("a.rhai", LONE), ("pack.yaml", NAMED)];
        let tar = tar_of(&[plain("lawbook-pack.json", manifest(&sound)), plain("a.rhai", LONE), plain("pack.yaml", NAMED)]);
        let mut bytes = if inner { tar } else { gzip(&tar) };
        let at = at % bytes.len();
        match cut {
            Some(cut) => bytes.truncate(cut % bytes.len()),
            None => bytes[at] ^= 1 << bit,
        }
        let bytes = if inner { gzip(&bytes) } else { bytes };
        if let Ok(archive) = lawbook::policy::Archive::parse("x.tar.gz", &bytes) {
            prop_assert!(cut.is_none());
            prop_assert_eq!((archive.name.as_str(), archive.len()), ("mine", 2));
            prop_assert!(manifest(&sound).contains(&archive.hash));
        }
    }
}

#[test]
fn a_signature_is_verified_where_keys_are_named() {
    let desk = Desk::new();
    let out = desk.succeeds(&["pack", "keygen", "team.pem"]);
    assert!(out.contains("wrote team.pem (secret"), "{out}");
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&desk.path().join("team.pem").metadata().unwrap().permissions())
            & 0o777,
        0o600
    );
    desk.fails(&["pack", "keygen", "team.pem"], "is there already");
    desk.succeeds(&["pack", "keygen", "other.pem"]);
    desk.succeeds(&["pack", "build", "pack", "-o", "plain.tar.gz"]);
    let out = desk.succeeds(&["pack", "build", "pack", "-o", "signed.tar.gz", "--sign", "team.pem"]);
    assert!(out.contains("signed  by "), "{out}");
    desk.succeeds(&["pack", "build", "pack", "-o", "twice.tar.gz", "--sign", "team.pem"]);
    assert_eq!(desk.read("signed.tar.gz"), desk.read("twice.tar.gz"));
    assert!(desk.succeeds(&["pack", "verify", "signed.tar.gz", "--key", "team.pem.pub"]).contains("which is trusted"));
    assert!(desk.succeeds(&["pack", "verify", "signed.tar.gz"]).contains("`--key FILE` says whether"));
    assert!(desk.succeeds(&["pack", "verify", "plain.tar.gz"]).contains("by nobody"));
    desk.fails(&["pack", "verify", "signed.tar.gz", "--key", "other.pem.pub"], "none of the keys that are trusted");
    desk.fails(&["pack", "verify", "plain.tar.gz", "--key", "team.pem.pub"], "is not signed");
    desk.fails(&["pack", "verify", "signed.tar.gz", "--key", "team.pem"], "is a secret key, and no public one");
    desk.fails(&["pack", "build", "pack", "-o", "x.tar.gz", "--sign", "team.pem.pub"], "is no private key");

    // Somebody else's signature, or a change that keeps the signature.
    let all = entries(&desk.read("signed.tar.gz"));
    type Change<'a> = &'a dyn Fn(&str, Vec<u8>) -> Option<Vec<u8>>;
    let rebuilt = |change: Change<'_>| {
        let kept = all.iter().filter_map(|(path, bytes)| Some(plain(path, change(path, bytes.clone())?)));
        gzip(&tar_of(&kept.collect::<Vec<_>>()))
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    desk.write("same.tar.gz", rebuilt(&|_, bytes| Some(bytes)));
    desk.succeeds(&["pack", "verify", "same.tar.gz", "--key", "team.pem.pub"]);
    let tampered: [(&str, Vec<u8>); 4] = [
        (
            "is not of this manifest",
            rebuilt(&|path, bytes| {
                Some(if path == "lawbook-pack.json" { text(bytes).replace("{\n", "{ \n").into_bytes() } else { bytes })
            }),
        ),
        (
            "is not what its manifest says",
            rebuilt(&|path, bytes| {
                Some(if path.ends_with("lib/volumes.rhai") { b"fn is_plain(volume) { false }".to_vec() } else { bytes })
            }),
        ),
        (
            "signature cannot be read",
            rebuilt(&|path, bytes| Some(if path.ends_with(".sig") { b"{}".to_vec() } else { bytes })),
        ),
        ("is not signed", rebuilt(&|path, bytes| (!path.ends_with(".sig")).then_some(bytes))),
    ];
    let keyed = |file: &str, key: &str| ["scan", "in", "--pack", file, "--trusted-key", key].map(str::to_owned);
    let args = |all: &[String]| all.iter().map(String::as_str).collect::<Vec<_>>().join("\0");
    let fails =
        |file: &str, key: &str, told: &str| desk.fails(&args(&keyed(file, key)).split('\0').collect::<Vec<_>>(), told);
    for (told, bytes) in tampered {
        desk.write("bad.tar.gz", bytes);
        fails("bad.tar.gz", "team.pem.pub", told);
    }
    fails("plain.tar.gz", "team.pem.pub", "is not signed");
    fails("signed.tar.gz", "other.pem.pub", "none of the keys that are trusted");
    assert_eq!(
        desk.found(&["--pack", "signed.tar.gz", "--trusted-key", "other.pem.pub", "--trusted-key", "team.pem.pub"])
            .len(),
        1
    );
    assert_eq!(desk.found(&["--pack", "signed.tar.gz"]).len(), 1, "nobody asked whose it is");
    // Folders and the embedded pack are not signed; the lock says what they hold.
    assert_eq!(desk.found(&["--pack", "pack", "--trusted-key", "other.pem.pub"]).len(), 1);
    // The configuration names keys for all, or for one.
    desk.write("lawbook.yaml", "packs: [signed.tar.gz]\ntrusted_keys: [other.pem.pub]\n");
    desk.fails(&["scan", "in"], "none of the keys that are trusted");
    desk.write("lawbook.yaml", "packs: [{ path: signed.tar.gz, key: team.pem.pub }]\ntrusted_keys: [other.pem.pub]\n");
    assert_eq!(desk.found(&[]).len(), 1);
    desk.write("lawbook.yaml", "packs: [{ path: plain.tar.gz, key: team.pem.pub }]\n");
    desk.fails(&["scan", "in"], "is not signed");
    desk.write("lawbook.yaml", "packs: [{ path: pack, key: team.pem.pub }]\n");
    desk.fails(&["scan", "in"], "only an archive is signed");
}

/// Keys that OpenSSL made: `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`.
#[test]
fn keys_of_openssl_are_keys() {
    let desk = Desk::new();
    // RFC 8410, section 10.
    desk.write("rfc.pem", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n");
    desk.write("rfc.pub", "-----BEGIN PUBLIC KEY-----\r\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\r\n-----END PUBLIC KEY-----\r\n");
    desk.succeeds(&["pack", "build", "pack", "-o", "p.tar.gz", "--sign", "rfc.pem"]);
    let out = desk.succeeds(&["pack", "verify", "p.tar.gz", "--key", "rfc.pub"]);
    assert!(
        out.contains("by 19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1, which is trusted"),
        "{out}"
    );
    for (name, text) in [
        ("short.pub", "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"),
        ("bad.pub", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n"),
        ("none.pub", "key"),
    ] {
        desk.write(name, text);
        desk.fails(&["pack", "verify", "p.tar.gz", "--key", name], name);
    }
}

#[test]
fn a_lock_lets_no_pack_run_that_nobody_has_seen() {
    let desk = Desk::new();
    desk.fails(&["lock"], "there is no `lawbook.yaml`");
    desk.fails(&["scan", "in", "--pack", "pack", "--locked"], "there is no `lawbook.yaml`");
    desk.write("lawbook.yaml", "packs: [pack]\n");
    desk.fails(&["scan", "in", "--locked"], "lawbook.lock: there is no such file");
    desk.fails(&["lock", "--check"], "lawbook.lock: there is no such file");
    assert_eq!(desk.found(&[]).len(), 1);
    let out = desk.succeeds(&["lock"]);
    assert_eq!(out, "mine 1.2.0: new\nwrote lawbook.lock\n");
    let lock: Value = serde_json::from_slice(&desk.read("lawbook.lock")).unwrap();
    assert_eq!(lock["packs"]["mine"]["version"], "1.2.0");
    assert_eq!(lock["packs"]["mine"]["files"].as_object().unwrap().len(), 3);
    assert_eq!(desk.succeeds(&["lock"]), "mine 1.2.0: unchanged\nwrote lawbook.lock\n");
    assert_eq!(desk.succeeds(&["lock", "--check"]), "1 pack is as locked in lawbook.lock\n");
    assert_eq!(desk.found(&["--locked"]).len(), 1);
    for args in [&["test", "pack"][..], &["check", "pack"], &["check"], &["list"], &["config"]] {
        desk.succeeds(args);
    }
    // What no scan runs may change.
    desk.write("pack/README.md", "# Ours, still\n");
    desk.write("pack/storage/volume-plain.cases.yaml", format!("{CASES}\n"));
    assert_eq!(desk.found(&["--locked"]).len(), 1);

    let library = desk.read("pack/lib/volumes.rhai");
    type Change<'a> = (&'a dyn Fn(), &'a str);
    let more = desk.path().join("pack/storage/more.rhai");
    let changes: [Change<'_>; 4] = [
        (&|| desk.write("pack/lib/volumes.rhai", "fn is_plain(volume) { false }\n"), "lib/volumes.rhai changed"),
        (&|| desk.write("pack/storage/more.rhai", policy("More")), "storage/more.rhai is new"),
        (
            &|| desk.write("pack/pack.yaml", "lawbook: 1\nname: mine\nversion: 1.3.0\ndescription: Volumes.\n"),
            "it was 1.2.0 and is 1.3.0, pack.yaml changed",
        ),
        (
            &|| std::fs::rename(desk.path().join("pack/storage/volume-plain.rhai"), &more).unwrap(),
            "storage/volume-plain.rhai is gone, storage/more.rhai is new",
        ),
    ];
    for (change, told) in changes {
        change();
        let told = format!(
            "lawbook.lock: the pack `mine` is not as it was locked: {told} (try: look at what changed, then `lawbook lock`; `--unlocked` takes it as it is)"
        );
        for args in [
            &["scan", "in"][..],
            &["scan", "in", "--pack", "pack"],
            &["list"],
            &["check", "pack"],
            &["check"],
            &["test", "pack", "--ci"],
            &["lock", "--check"],
        ] {
            desk.fails(args, if args[0] == "test" { "" } else { &told });
        }
        let ran = desk.run(&["scan", "in", "--unlocked"]);
        assert!(ran.code < 2, "{}", ran.err);
        // Back again.
        desk.write("pack/lib/volumes.rhai", &library);
        if more.exists() {
            std::fs::remove_file(&more).unwrap();
        }
        desk.pack("pack2", "mine", "Volume in the clear");
        for file in ["pack.yaml", "storage/volume-plain.rhai"] {
            desk.write(&format!("pack/{file}"), desk.read(&format!("pack2/{file}")));
        }
        std::fs::remove_dir_all(desk.path().join("pack2")).unwrap();
        assert_eq!(desk.found(&["--locked"]).len(), 1, "{told}");
    }
    desk.write("pack/lib/volumes.rhai", "fn is_plain(volume) { volume.Encrypted == false } // reviewed\n");
    desk.fails(&["test", "pack", "--ci"], "is not as it was locked");
    desk.succeeds(&["test", "pack", "--ci", "--unlocked"]);
    assert_eq!(desk.succeeds(&["lock"]), "mine 1.2.0: lib/volumes.rhai changed\nwrote lawbook.lock\n");
    assert_eq!(desk.found(&["--locked"]).len(), 1);

    // A pack that is new in the configuration, and one that only a flag names.
    desk.pack("theirs", "theirs", "Theirs");
    desk.write("lawbook.yaml", "packs: [pack, theirs]\n");
    desk.fails(&["scan", "in"], "the pack `theirs` is not locked (try: look at it, then `lawbook lock`");
    desk.write("lawbook.yaml", "packs: [pack]\n");
    assert_eq!(desk.found(&["--pack", "theirs"]).len(), 1);
    desk.fails(&["scan", "in", "--pack", "theirs", "--locked"], "the pack `theirs` is not locked");
    desk.fails(
        &["scan", "in", "--policy", "theirs/storage/volume-plain.rhai", "--locked"],
        "the pack `local` is not locked",
    );
    // The archive of a pack is what its folder is.
    desk.succeeds(&["pack", "build", "pack", "-o", "mine.tar.gz"]);
    desk.write("lawbook.yaml", "packs: [mine.tar.gz]\n");
    assert_eq!(desk.found(&["--locked"]).len(), 1);
    // The embedded pack is one of them.
    desk.write("lawbook.yaml", "packs: [default]\n");
    desk.fails(&["list"], "the pack `default` is not locked");
    desk.succeeds(&["lock"]);
    desk.succeeds(&["list", "--locked"]);
    let text = String::from_utf8(desk.read("lawbook.lock")).unwrap();
    let mut lock: Value = serde_json::from_str(&text).unwrap();
    lock["packs"]["default"]["hash"] = "0".into();
    lock["packs"]["default"]["version"] = "0.0.1".into();
    desk.write("lawbook.lock", lock.to_string());
    desk.fails(&["list"], "the pack `default` is not as it was locked: it was 0.0.1 and is ");
    for (text, told) in [
        ("{", "lawbook.lock:1:1: is no lock"),
        ("{\"lawbook_lock\":7,\"packs\":{}}", "a lock of version 7"),
        ("{\"lawbook_lock\":1,\"packs\":{},\"x\":1}", "is no lock"),
    ] {
        desk.write("lawbook.lock", text);
        desk.fails(&["list"], told);
    }
}

#[test]
fn two_packs_with_the_same_policy_do_not_collide() {
    let desk = Desk::new();
    desk.pack("theirs", "theirs", "Theirs");
    let both = ["--pack", "pack", "--pack", "theirs"];
    let scan = |more: &[&str]| desk.found(&[&both[..], more].concat());
    let packs =
        |found: &[(String, String, String)]| found.iter().map(|(pack, ..)| pack.clone()).collect::<Vec<_>>().join(" ");
    let all = scan(&[]);
    assert_eq!(packs(&all), "mine theirs");
    assert!(all[0].1 == all[1].1 && all[0].2 != all[1].2, "{all:?}");
    let ambiguous = "`volume-plain` is more than one policy: `mine/volume-plain` and `theirs/volume-plain` (try: say which: `mine/volume-plain`)";
    let fails = |more: &[&str]| desk.fails(&[&["scan", "in"][..], &both, more].concat(), ambiguous);
    fails(&["--only", "volume-plain"]);
    fails(&["--skip", "volume-plain"]);
    fails(&["--why", "volume-plain"]);
    fails(&["--param", "volume-plain.all=true"]);
    fails(&["--severity", "volume-plain=low"]);
    fails(&["--enforce", "volume-plain=off"]);
    desk.fails(&[&["show", "volume-plain"][..], &both].concat(), ambiguous);
    for (flag, wanted) in [("--only", "theirs"), ("--skip", "mine")] {
        assert_eq!(packs(&scan(&[flag, "theirs/volume-plain"])), wanted);
    }
    assert_eq!(packs(&scan(&["--enforce", "mine/volume-plain=off"])), "theirs");
    assert!(desk.succeeds(&[&["show", "theirs/volume-plain"][..], &both].concat()).contains("Theirs"));
    // A list names each so that it can be asked for; and the other that is left out is still there for waivers to mean.
    let listed = |more: &[&str]| {
        let out = desk.succeeds(&[&["list"][..], &both, more].concat());
        out.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(&[]), "mine/volume-plain theirs/volume-plain");
    assert_eq!(listed(&["--only", "theirs/volume-plain"]), "theirs/volume-plain");
    assert_eq!(listed(&["--coverage"]), "(no");
    let coverage = desk.succeeds(&[&["list", "--coverage"][..], &both].concat());
    assert!(coverage.contains("mine/volume-plain, theirs/volume-plain"), "{coverage}");
    assert_eq!(desk.succeeds(&["list", "--pack", "pack"]).split(' ').next(), Some("volume-plain"));
    let profile = desk.run(&[&["scan", "in", "--profile"][..], &both].concat()).err;
    assert!(profile.contains("\nmine/volume-plain ") && profile.contains("\ntheirs/volume-plain "), "{profile}");
    desk.fails(
        &[&["scan", "in", "--only", "mine/volume-plain", "--enforce", "mine=off"][..], &both].concat(),
        "`mine/volume-plain` is asked for, and off by --enforce mine=off (try: `--enforce mine/volume-plain=fail`)",
    );
    let json = |more: &[&str]| {
        let ran = desk.run(&[&["scan", "in", "--format", "json", "--now", "2024-05-15"][..], &both, more].concat());
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err)))
    };
    let (_, report) = json(&["--why", "theirs/volume-plain"]);
    assert_eq!(report["why"].as_array().unwrap().len(), 1);
    let (_, report) = json(&["--severity", "theirs/volume-plain=low"]);
    let severities: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|one| &one["severity"]).collect();
    assert_eq!(severities, ["high", "low"]);
    // The encrypted one is found by the one whose parameter says so.
    desk.write(
        "in/111122223333/us-east-1/ec2/describe-volumes.json",
        json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": true }] }).to_string(),
    );
    assert_eq!(packs(&scan(&["--param", "theirs/volume-plain.all=true"])), "theirs");
    desk.write(
        "in/111122223333/us-east-1/ec2/describe-volumes.json",
        json!({ "Volumes": [{ "VolumeId": "vol-1", "Encrypted": false }] }).to_string(),
    );
    // So in the configuration, where the line is told.
    desk.write("lawbook.yaml", "packs: [pack, theirs]\nseverity:\n  volume-plain: low\n");
    desk.fails(&["scan", "in"], &format!("lawbook.yaml:3:3: {ambiguous}"));
    desk.write("lawbook.yaml", "packs: [pack, theirs]\nseverity:\n  mine/volume-plain: low\n");
    assert_eq!(json(&["--fail-on", "high", "--enforce", "theirs=report"]).0, 0);
    std::fs::remove_file(desk.path().join("lawbook.yaml")).unwrap();
    // A waiver that does not say whose excuses nothing of either, whichever is asked for.
    let waiver = |policy: &str| {
        desk.write(
            "waivers.yaml",
            format!(
                "waivers:\n  - {{ policy: {policy}, resources: [\"**\"], owner: a, reason: b, expires: 2030-01-01 }}\n"
            ),
        );
    };
    waiver("volume-plain");
    for more in [&["--waivers", "waivers.yaml"][..], &["--waivers", "waivers.yaml", "--only", "mine/volume-plain"]] {
        let (code, report) = json(more);
        assert_eq!((code, &report["summary"]["findings"]["by_standing"]["waived"]), (2, &json!(0)));
        assert!(
            report["faults"][0]["reason"].as_str().unwrap().contains("`mine/volume-plain` and `theirs/volume-plain`"),
            "{report}"
        );
        assert!(report["findings"][0]["notes"].to_string().contains("cannot be read (line 2)"));
    }
    waiver("mine/volume-plain");
    let (code, report) = json(&["--waivers", "waivers.yaml"]);
    assert_eq!(
        (code, &report["findings"][0]["standing"], &report["findings"][1]["standing"]),
        (1, &json!("waived"), &json!("new"))
    );
    // A policy that fails is told with its pack.
    desk.write("theirs/lib/volumes.rhai", "fn is_plain(volume) { throw \"no\" }\n");
    let (code, report) = json(&[]);
    assert_eq!(
        (code, &report["faults"][0]["pack"], &report["faults"][0]["policy"]),
        (2, &json!("theirs"), &json!("volume-plain"))
    );
    let ran = desk.run(&[&["scan", "in", "--format", "junit"][..], &both].concat());
    assert!(ran.out.contains("errors=\"2\""), "theirs, and the scan: {}", ran.out);
    // Two packs of one name, and two files of one name.
    desk.pack("again", "mine", "Again");
    desk.fails(&["scan", "in", "--pack", "pack", "--pack", "again"], "two packs are named `mine`");
    desk.write("one/volume-lone.rhai", LONE);
    desk.write("two/volume-lone.rhai", LONE);
    desk.fails(
        &["scan", "in", "--policy", "one/volume-lone.rhai", "--policy", "two/volume-lone.rhai"],
        "`one/volume-lone.rhai` is the policy `local/volume-lone`, too",
    );
}
