//! The store over a real directory.

use super::*;
use crate::test_directory::TestDirectory;
use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread,
};
use tokio::runtime::{Builder, Runtime};

#[cfg(feature = "notify")]
mod watch;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn document(epoch: u64) -> Vec<u8> {
    format!(r#"{{"keys":[{{"d":"secret"}}],"epoch":{epoch}}}"#).into_bytes()
}

fn ring(epoch: u64) -> StoredRing {
    StoredRing::new(epoch, document(epoch))
}

/// A store that a test drives by itself, without a runtime.
fn files(directory: &TestDirectory) -> Files {
    Files::new(directory.path().to_owned())
}

fn names(directory: &TestDirectory) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Both ways to the document refuse it with `expected`, and leave it as it is.
fn refuses(directory: &TestDirectory, expected: &str) {
    let there = fs::read(directory.path().join("ring.json")).ok();
    let files = files(directory);
    let load = files.load().unwrap_err().to_string();
    assert!(load.contains(expected), "{load:?} has no {expected:?}");
    let path = directory.path().to_str().unwrap();
    assert!(load.contains(path), "{load:?} names no file");
    assert!(!load.contains("secret"), "{load:?}");
    for read in [None, Some(1), Some(5)] {
        assert_eq!(files.swap(read, &ring(100)).unwrap_err().to_string(), load);
    }
    assert_eq!(fs::read(directory.path().join("ring.json")).ok(), there);
}

#[test]
fn what_is_written_is_loaded_and_nothing_is_left_beside_it() {
    let directory = TestDirectory::new("written");
    let path = directory.path().join("deeper/keys");
    runtime().block_on(async {
        let store = DirectoryStore::new(&path);
        assert!(store.load().await.unwrap().is_none());
        assert!(!path.exists(), "to read makes no directory");
        for epoch in 1..=3 {
            let read = (epoch > 1).then(|| epoch - 1);
            let swap = store.compare_and_swap(read, ring(epoch)).await;
            assert_eq!(swap, Ok(Swap::Done));
            let loaded = store.load().await.unwrap().unwrap();
            assert_eq!(loaded.epoch(), epoch);
            assert_eq!(loaded.secret_document(), document(epoch));
        }
        let stale = store.compare_and_swap(Some(2), ring(4)).await;
        assert_eq!(stale, Ok(Swap::Conflict));
        let first = store.compare_and_swap(None, ring(4)).await;
        assert_eq!(first, Ok(Swap::Conflict));
        assert_eq!(store.load().await.unwrap().unwrap().epoch(), 3);
    });
    let mut names: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["ring.epoch", "ring.json", "ring.lock"]);
    assert_eq!(fs::read(path.join("ring.epoch")).unwrap(), b"3\n");
}

#[test]
#[cfg(unix)]
fn all_of_it_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TestDirectory::new("modes");
    let path = directory.path().join("keys");
    let files = Files::new(path.clone());
    assert_eq!(files.swap(None, &ring(1)), Ok(Swap::Done));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for name in ["ring.json", "ring.lock", "ring.epoch"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
}

#[test]
#[cfg(unix)]
fn a_document_that_others_may_read_is_read_and_what_replaces_it_is_not() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TestDirectory::new("exposed");
    let path = directory.path().join("ring.json");
    fs::write(&path, document(1)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let files = files(&directory);
    assert_eq!(files.load().unwrap().unwrap().epoch(), 1);
    assert_eq!(files.swap(Some(1), &ring(2)), Ok(Swap::Done));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn of_many_that_have_read_the_same_one_writes() {
    let directory = TestDirectory::new("many");
    for epoch in 1..=10 {
        let read = (epoch > 1).then(|| epoch - 1);
        let swaps: Vec<Swap> = thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| files(&directory).swap(read, &ring(epoch)).unwrap()))
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
        assert_eq!(swaps.iter().filter(|swap| **swap == Swap::Done).count(), 1);
        assert_eq!(files(&directory).load().unwrap().unwrap().epoch(), epoch);
    }
}

#[test]
fn who_reads_while_others_write_sees_whole_documents_whose_epoch_never_goes_down() {
    let directory = TestDirectory::new("readers");
    assert_eq!(files(&directory).swap(None, &ring(1)), Ok(Swap::Done));
    thread::scope(|scope| {
        let reader = || {
            let files = files(&directory);
            let mut last = 0;
            while last < 50 {
                let epoch = files.load().unwrap().unwrap().epoch();
                assert!(epoch >= last);
                last = epoch;
            }
        };
        scope.spawn(reader);
        scope.spawn(reader);
        let writer = files(&directory);
        for epoch in 2..=50 {
            assert_eq!(writer.swap(Some(epoch - 1), &ring(epoch)), Ok(Swap::Done));
        }
    });
}

#[test]
fn who_is_ended_before_the_rename_leaves_the_old_document_and_what_it_left_is_swept() {
    let directory = TestDirectory::new("ended");
    let files = files(&directory);
    assert_eq!(files.swap(None, &ring(1)), Ok(Swap::Done));
    for left in ["ring.json.1f.new", "ring.epoch.abc.new"] {
        fs::write(directory.path().join(left), r#"{"epoch":2,"half"#).unwrap();
    }
    for kept in ["ring.json.backup.new", "ring.json.new", "other.json.1f.new"] {
        fs::write(directory.path().join(kept), "").unwrap();
    }
    assert_eq!(files.load().unwrap().unwrap().epoch(), 1);
    assert_eq!(files.swap(Some(1), &ring(2)), Ok(Swap::Done));
    assert_eq!(
        names(&directory),
        [
            "other.json.1f.new",
            "ring.epoch",
            "ring.json",
            "ring.json.backup.new",
            "ring.json.new",
            "ring.lock"
        ]
    );
}

#[test]
fn who_is_ended_before_the_mark_is_raised_has_it_raised_by_the_next_load() {
    let directory = TestDirectory::new("mark");
    let files = files(&directory);
    assert_eq!(files.swap(None, &ring(1)), Ok(Swap::Done));
    fs::write(directory.path().join("ring.json"), document(7)).unwrap();
    assert_eq!(files.load().unwrap().unwrap().epoch(), 7);
    let mark = fs::read(directory.path().join("ring.epoch")).unwrap();
    assert_eq!(mark, b"7\n");
}

#[test]
fn an_older_document_is_refused_until_the_mark_is_removed() {
    let directory = TestDirectory::new("older");
    assert_eq!(files(&directory).swap(None, &ring(5)), Ok(Swap::Done));
    fs::write(directory.path().join("ring.json"), document(4)).unwrap();
    refuses(
        &directory,
        "is an older document, of epoch 4 where there was 5 before",
    );
    refuses(&directory, "ring.epoch if that is meant");
    fs::remove_file(directory.path().join("ring.epoch")).unwrap();
    assert_eq!(files(&directory).load().unwrap().unwrap().epoch(), 4);
}

#[test]
fn a_document_that_is_gone_is_not_one_that_never_was() {
    let directory = TestDirectory::new("gone");
    assert_eq!(files(&directory).swap(None, &ring(5)), Ok(Swap::Done));
    fs::remove_file(directory.path().join("ring.json")).unwrap();
    refuses(&directory, "is gone, and was there with epoch 5");
}

#[test]
fn what_is_no_document_is_refused_and_not_written_over() {
    let directory = TestDirectory::new("broken");
    let path = directory.path().join("ring.json");
    for (content, expected) in [
        (String::new(), "is no document of a ring: EOF"),
        ("secret".to_owned(), "is no document of a ring"),
        (
            r#"{"epoch":1,"keys":["secret"#.to_owned(),
            "is no document of a ring: EOF",
        ),
        (
            r#"{"epoch":1}{"epoch":2}"#.to_owned(),
            "trailing characters",
        ),
        (
            r#"{"epoch":1,"epoch":2}"#.to_owned(),
            "duplicate field `epoch`",
        ),
        (r#"{"keys":["secret"]}"#.to_owned(), "missing field `epoch`"),
        (r#"{"epoch":"secret"}"#.to_owned(), "expected u64"),
        (r#"{"epoch":-1}"#.to_owned(), "expected u64"),
        (r#"["secret"]"#.to_owned(), "expected u64"),
        (
            format!(r#"{{"epoch":1,"pad":"{}"}}"#, "x".repeat(1024 * 1024)),
            "has more than 1048576 bytes",
        ),
    ] {
        fs::write(&path, content).unwrap();
        refuses(&directory, expected);
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refuses(&directory, "is no regular file");
}

#[test]
fn a_mark_that_is_none_is_refused() {
    let directory = TestDirectory::new("no-mark");
    fs::write(directory.path().join("ring.json"), document(1)).unwrap();
    for mark in ["", "one", "-1", "99999999999999999999"] {
        fs::write(directory.path().join("ring.epoch"), mark).unwrap();
        refuses(&directory, "ring.epoch: holds no number");
    }
}

#[test]
fn what_would_not_be_loaded_again_is_not_written() {
    let directory = TestDirectory::new("unwritten");
    let files = files(&directory);
    assert_eq!(files.swap(None, &ring(5)), Ok(Swap::Done));
    let large = format!(r#"{{"epoch":6,"pad":"{}"}}"#, "x".repeat(1024 * 1024));
    for (next, expected) in [
        (StoredRing::new(6, document(7)), "another epoch"),
        (StoredRing::new(6, b"{}".to_vec()), "missing field"),
        (StoredRing::new(6, large.into_bytes()), "has more than"),
        (ring(5), "no higher epoch"),
        (ring(4), "no higher epoch"),
    ] {
        let error = files.swap(Some(5), &next).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} has no {expected:?}");
    }
    assert_eq!(files.load().unwrap().unwrap().epoch(), 5);
}

#[test]
#[cfg(unix)]
fn the_links_of_a_mounted_secret_are_followed_when_they_are_exchanged() {
    use std::os::unix::fs::symlink;
    let directory = TestDirectory::new("links");
    let at = |name: &str| directory.path().join(name);
    for epoch in [1, 2] {
        fs::create_dir(at(&format!("..{epoch}"))).unwrap();
        fs::write(at(&format!("..{epoch}/ring.json")), document(epoch)).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/ring.json", at("ring.json")).unwrap();
    let files = files(&directory);
    assert_eq!(files.load().unwrap().unwrap().epoch(), 1);
    symlink("..2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    assert_eq!(files.load().unwrap().unwrap().epoch(), 2);
    fs::remove_file(at("..data")).unwrap();
    refuses(&directory, "is a link to what is not there");
}

const LOCKED: &str = "the lock is held";
const DIRECTORY: &str = "TOWER_JWKS_TEST_DIRECTORY";

/// The other process of the next test; nothing by itself.
#[test]
fn another_process_holds_the_lock() {
    let Some(path) = env::var_os(DIRECTORY) else {
        return;
    };
    let path = Path::new(&path).join("ring.lock");
    let _held = lock::Lock::acquire(&path, 1).unwrap().unwrap();
    println!("\n{LOCKED}");
    // Until the other side is gone, at the latest.
    drop(std::io::stdin().lines().next());
}

#[test]
fn a_lock_is_honored_between_processes_and_ends_with_a_kill() {
    let directory = TestDirectory::new("processes");
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut other = Command::new(env::current_exe().unwrap())
        .args([&format!("{module}::another_process_holds_the_lock")])
        .args(["--exact", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    let locked = lines.map_while(Result::ok).any(|line| line == LOCKED);
    let impatient = files(&directory).with_lock_tries(1);
    let refused = impatient.swap(None, &ring(1));
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(locked, "the other process has ended without the lock");
    let error = refused.unwrap_err().to_string();
    assert!(
        error.ends_with("ring.lock: another process holds it all the time"),
        "{error}"
    );
    assert_eq!(impatient.swap(None, &ring(1)), Ok(Swap::Done));
}

#[test]
fn a_disk_that_hangs_keeps_nobody_waiting_for_ever() {
    let directory = TestDirectory::new("hangs");
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let store = DirectoryStore::new(directory.path());
        // Another call is at it, and does not come back.
        let _turn = Arc::clone(&store.turn).acquire_owned().await;
        let error = store.load().await.unwrap_err().to_string();
        assert!(
            error.ends_with("does not answer within 10 seconds"),
            "{error}"
        );
    });
}
