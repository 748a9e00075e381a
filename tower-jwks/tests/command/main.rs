//! The program `tower-jwks` as it is run.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

mod importing;
mod making;
mod revoking;
mod rotating;
mod telling;
mod usage;

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tower_jwks::{
    Algorithm, Clock, DirectoryStore, KeyEncryptionKey, KeyRing, ManualClock, RotationPolicy,
    SystemClock,
};

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("command-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the program in the folder.
    fn run(&self, arguments: &str) -> Output {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &str, environment: &[(&str, &str)]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_tower-jwks"))
            .args(arguments.split_whitespace())
            .current_dir(&self.0)
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Output {
            code: output.status.code(),
            said: text(output.stdout),
            complained: text(output.stderr),
        }
    }

    /// Runs it with `--json`, which has to be done.
    fn json(&self, arguments: &str) -> Value {
        let output = self.run(&format!("{arguments} --json"));
        assert_eq!(
            (output.code, &*output.complained),
            (Some(0), ""),
            "{output:?}"
        );
        assert_eq!(output.said.lines().count(), 1, "{output:?}");
        serde_json::from_str(&output.said).unwrap()
    }

    /// A ring of ES256 keys in `keys` that was made so long ago, by a process that read it once.
    async fn ring(&self, age: Duration) -> KeyRing {
        let clock = ManualClock::new(SystemClock.now().saturating_sub(age));
        let ring = KeyRing::open(DirectoryStore::new(self.path("keys")))
            .algorithm(Algorithm::ES256)
            .policy(short())
            .clock(clock)
            .await
            .unwrap();
        ring.refresh().await.unwrap();
        ring
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Times that are shorter than the defaults.
fn short() -> RotationPolicy {
    let minute = Duration::from_secs(60);
    RotationPolicy::builder()
        .max_age(minute)
        .propagation(minute)
        .grace(minute)
        .token_life(minute)
        .build()
        .unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);

/// A key that seals, in hex.
const SEAL: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[derive(Debug)]
struct Output {
    code: Option<i32>,
    said: String,
    complained: String,
}

impl Output {
    #[track_caller]
    fn done(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.said
    }

    /// What it complains about, and nothing is said.
    #[track_caller]
    fn failed(&self, code: i32) -> &str {
        assert_eq!((self.code, &*self.said), (Some(code), ""), "{self:?}");
        &self.complained
    }
}

/// Of a status: the `kid` and the state of each key.
fn states(status: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = status["keys"].as_array().unwrap().iter();
    keys.map(|key| (text(&key["kid"]), text(&key["state"])))
        .collect()
}

fn now() -> u64 {
    SystemClock.now().as_secs()
}

fn seal() -> KeyEncryptionKey {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        let hex = &SEAL[2 * place..2 * place + 2];
        *byte = u8::from_str_radix(hex, 16).unwrap();
    }
    KeyEncryptionKey::from_bytes(bytes)
}

/// What openssl makes; nothing, with a word about it, where there is no openssl.
fn openssl(arguments: &str) -> Option<String> {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no openssl");
        return None;
    };
    assert!(output.status.success(), "openssl {arguments}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}
