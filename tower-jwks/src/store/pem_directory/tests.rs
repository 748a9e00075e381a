//! Keys as others put them there.

use super::*;
use crate::{Algorithm, SigningKey, test_directory::TestDirectory};
use std::{
    fs,
    time::{Duration, UNIX_EPOCH},
};

struct Pair {
    key: String,
    certificate: String,
}

impl Pair {
    /// A new key, and a certificate that begins then.
    fn from(not_before: u64) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::default();
        let seconds = Duration::from_secs(not_before);
        parameters.not_before = rcgen::date_time_ymd(1970, 1, 1) + seconds;
        Self {
            key: key.serialize_pem(),
            certificate: parameters.self_signed(&key).unwrap().pem(),
        }
    }

    fn kid(&self) -> String {
        SigningKey::from_pem(Algorithm::ES256, &self.key)
            .unwrap()
            .kid()
            .to_owned()
    }
}

fn kid(key: &FoundKey) -> String {
    SigningKey::from_der(Algorithm::ES256, &key.private_key)
        .unwrap()
        .kid()
        .to_owned()
}

fn write(directory: &TestDirectory, name: &str, content: impl AsRef<[u8]>) {
    fs::write(directory.path().join(name), content).unwrap();
}

fn found(directory: &TestDirectory, active: Option<&str>) -> Vec<FoundKey> {
    read(directory.path(), active, &[]).unwrap().keys
}

fn refusal(directory: &TestDirectory, active: Option<&str>) -> String {
    let error = read(directory.path(), active, &[]).unwrap_err().to_string();
    let path = directory.path().to_str().unwrap();
    assert!(error.contains(path), "{error:?} names no file");
    error
}

fn modified(directory: &TestDirectory, name: &str) -> UnixTime {
    let time = fs::metadata(directory.path().join(name))
        .unwrap()
        .modified();
    let since = time.unwrap().duration_since(UNIX_EPOCH);
    UnixTime::from_secs(since.unwrap().as_secs())
}

#[test]
fn keys_are_found_in_each_of_their_forms_and_what_is_none_is_passed_over() {
    let directory = TestDirectory::new("pem-forms");
    let [tls, single, bare] = [Pair::from(1000), Pair::from(2000), Pair::from(3000)];
    write(&directory, "tls.key", &tls.key);
    write(&directory, "tls.crt", &tls.certificate);
    write(&directory, "ca.crt", &single.certificate);
    write(&directory, "chain.pem", &single.certificate);
    write(
        &directory,
        "b.pem",
        [single.certificate.as_str(), &single.key].concat(),
    );
    write(&directory, "a.pem", &bare.key);
    write(
        &directory,
        ".hidden.pem",
        "half a key: BEGIN PRIVATE KEY-----",
    );
    write(&directory, "README", "about these keys");
    fs::create_dir(directory.path().join("old.pem")).unwrap();
    let keys = found(&directory, None);
    let names: Vec<_> = keys.iter().map(|key| key.file_name.as_str()).collect();
    assert_eq!(names, ["a.pem", "b.pem", "tls.key"]);
    let kids: Vec<_> = keys.iter().map(kid).collect();
    assert_eq!(kids, [bare.kid(), single.kid(), tls.kid()]);
    let certified: Vec<_> = keys.iter().map(|key| key.certificate.is_some()).collect();
    assert_eq!(certified, [false, true, true]);
    let begin: Vec<_> = keys.iter().map(|key| key.begins_at).collect();
    let of_certificates = [2000, 1000].map(UnixTime::from_secs);
    assert_eq!(begin[0], modified(&directory, "a.pem"));
    assert_eq!(begin[1..], of_certificates);
    // A certificate may begin before anybody has it.
    assert_eq!(keys[1].known_since, modified(&directory, "b.pem"));
    assert!(!keys.iter().any(|key| key.named_active));
}

#[test]
fn the_key_that_is_to_sign_is_named_with_its_ending_or_without() {
    let directory = TestDirectory::new("pem-active");
    write(&directory, "old.pem", Pair::from(1).key);
    write(&directory, "new.key", Pair::from(1).key);
    for (active, expected) in [
        ("old", "old.pem"),
        ("old.pem", "old.pem"),
        ("new", "new.key"),
        ("new.key", "new.key"),
    ] {
        let keys = found(&directory, Some(active));
        let named: Vec<_> = keys.iter().filter(|key| key.named_active).collect();
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].file_name, expected);
    }
    let error = refusal(&directory, Some("newer"));
    assert!(
        error.ends_with(r#"there is no key "newer" in it"#),
        "{error}"
    );
}

#[test]
fn the_same_key_in_two_files_is_one_key() {
    let directory = TestDirectory::new("pem-same");
    let pair = Pair::from(1000);
    write(&directory, "bare.pem", &pair.key);
    write(
        &directory,
        "tls-combined.pem",
        pair.key.clone() + &pair.certificate,
    );
    let keys = found(&directory, Some("tls-combined"));
    assert_eq!(keys.len(), 1);
    assert!(keys[0].named_active && keys[0].certificate.is_some());
    assert_eq!(keys[0].begins_at.as_secs(), 1000);
}

#[test]
fn a_key_that_was_known_before_is_not_younger_for_its_file_or_its_certificate() {
    let directory = TestDirectory::new("pem-previous");
    let pair = Pair::from(5000);
    write(&directory, "tls.key", &pair.key);
    let mut before = found(&directory, None);
    before[0].known_since = UnixTime::from_secs(1000);
    let known_since =
        |previous: &[FoundKey]| read(directory.path(), None, previous).unwrap().keys[0].known_since;
    assert_eq!(known_since(&before).as_secs(), 1000);
    write(&directory, "tls.crt", &pair.certificate);
    assert_eq!(known_since(&before).as_secs(), 1000);
    assert_eq!(known_since(&[]), modified(&directory, "tls.key"));
    write(&directory, "tls.key", Pair::from(1).key);
    fs::remove_file(directory.path().join("tls.crt")).unwrap();
    assert_eq!(known_since(&before), modified(&directory, "tls.key"));
}

#[cfg(unix)]
#[test]
fn a_copy_that_says_it_is_old_is_known_since_it_is_there() {
    let directory = TestDirectory::new("pem-copy");
    write(&directory, "tls.key", Pair::from(1).key);
    let written = modified(&directory, "tls.key");
    let file = fs::File::options()
        .write(true)
        .open(directory.path().join("tls.key"));
    let long_ago = UNIX_EPOCH + Duration::from_secs(1000);
    file.unwrap().set_modified(long_ago).unwrap();
    let keys = found(&directory, None);
    assert_eq!(keys[0].begins_at.as_secs(), 1000);
    assert!(keys[0].known_since >= written);
}

#[test]
fn revoked_kids_are_listed_one_a_line() {
    let directory = TestDirectory::new("pem-revoked");
    write(&directory, "tls.key", Pair::from(1).key);
    assert!(
        read(directory.path(), None, &[])
            .unwrap()
            .revoked
            .is_empty()
    );
    write(&directory, "revoked", "# since May\n\n  one \r\ntwo");
    let revoked = read(directory.path(), None, &[]).unwrap().revoked;
    assert_eq!(revoked, ["one", "two"]);
    write(&directory, "revoked", [0xff]);
    assert!(refusal(&directory, None).ends_with("revoked: is not UTF-8"));
}

#[test]
fn what_is_no_key_is_refused_by_its_name() {
    let pair = Pair::from(1);
    let half = &pair.key[..pair.key.len() / 2];
    for (name, content, expected) in [
        ("tls.key", "", "there is no private key in the PEM"),
        ("tls.key", half, "private key: "),
        ("tls.pem", half, "private key: "),
        (
            "tls.crt",
            &pair.certificate,
            "certificate: is of another key",
        ),
        (
            "tls.crt",
            "",
            "certificate: there is no certificate in the PEM",
        ),
        (
            "large.pem",
            &"x".repeat(64 * 1024 + 1),
            "large.pem: has more than 65536 bytes",
        ),
    ] {
        let directory = TestDirectory::new("pem-broken");
        write(&directory, "tls.key", Pair::from(1).key);
        write(&directory, name, content);
        let error = refusal(&directory, None);
        assert!(error.contains(expected), "{error:?} has no {expected:?}");
        assert!(!error.contains(&pair.key[40..60]), "{error}");
    }
}

#[test]
fn a_directory_without_keys_is_refused_and_one_with_too_many_files_is() {
    let directory = TestDirectory::new("pem-none");
    assert!(refusal(&directory, None).ends_with("there is no private key in it"));
    for number in 0..65 {
        write(&directory, &format!("{number}.pem"), "");
    }
    assert!(refusal(&directory, None).ends_with("there are more than 64 files of keys in it"));
    let absent = directory.path().join("is/not/there");
    assert!(read(&absent, None, &[]).is_err());
}

#[test]
#[cfg(unix)]
fn a_secret_that_is_exchanged_while_it_is_read_is_read_of_one_piece() {
    use std::os::unix::fs::symlink;
    let directory = TestDirectory::new("pem-links");
    let at = |name: &str| directory.path().join(name);
    let [old, new] = [Pair::from(1), Pair::from(1)];
    for (version, pair) in [("..1", &old), ("..2", &new)] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("tls.key"), &pair.key).unwrap();
        fs::write(at(version).join("tls.crt"), &pair.certificate).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/tls.key", at("tls.key")).unwrap();
    symlink("..data/tls.crt", at("tls.crt")).unwrap();
    assert_eq!(kid(&found(&directory, None)[0]), old.kid());
    let mut exchanges = 0;
    let snapshot = Snapshot::take_while(directory.path(), || {
        if exchanges == 0 {
            symlink("..2", at("..data_tmp")).unwrap();
            fs::rename(at("..data_tmp"), at("..data")).unwrap();
            fs::remove_dir_all(at("..1")).unwrap();
        }
        exchanges += 1;
    })
    .unwrap();
    assert_eq!(exchanges, 2, "the first reading does not count");
    assert_eq!(*snapshot.file("tls.key").unwrap().bytes, new.key.as_bytes());
    assert_eq!(kid(&found(&directory, None)[0]), new.kid());
}

#[test]
fn a_directory_that_never_stands_still_is_not_read_for_ever() {
    let directory = TestDirectory::new("pem-restless");
    let mut length = 0;
    let restless = Snapshot::take_while(directory.path(), || {
        length += 1;
        write(&directory, "tls.key", "x".repeat(length));
    });
    let error = restless.err().unwrap().to_string();
    assert!(
        error.ends_with("it changes all the time while it is read"),
        "{error}"
    );
}

#[test]
fn debug_shows_no_key() {
    let directory = TestDirectory::new("pem-debug");
    write(&directory, "tls.key", Pair::from(1).key);
    let found = read(directory.path(), None, &[]).unwrap();
    let shown = format!("{found:?}");
    assert!(
        shown.contains("tls.key") && !shown.contains("private_key"),
        "{shown}"
    );
}
