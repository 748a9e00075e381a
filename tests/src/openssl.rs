//! The program `openssl`: another's keys and another's judgment.

use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Whether the program is there. Where it is not, a line says that the test is skipped.
#[must_use]
pub fn is_there() -> bool {
    let there = Command::new("openssl").arg("version").output().is_ok();
    if !there {
        println!("SKIPPED: the program openssl is not there");
    }
    there
}

/// What `openssl` writes for these arguments, separated by spaces, and this input.
///
/// # Panics
///
/// It fails.
#[must_use]
pub fn run(arguments: &str, input: impl AsRef<[u8]>) -> Vec<u8> {
    match attempt(arguments, input) {
        Ok(output) => output,
        Err(message) => panic!("openssl {arguments}: {message}"),
    }
}

/// As [`run`], for a text.
///
/// # Panics
///
/// It fails, or writes no text.
#[must_use]
pub fn text(arguments: &str, input: impl AsRef<[u8]>) -> String {
    String::from_utf8(run(arguments, input)).expect("openssl writes text")
}

/// As [`run`], when it may fail; then what it says.
///
/// # Errors
///
/// It fails.
///
/// # Panics
///
/// It cannot be started.
pub fn attempt(arguments: &str, input: impl AsRef<[u8]>) -> Result<Vec<u8>, String> {
    let mut child = Command::new("openssl")
        .args(arguments.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program openssl can be started");
    // It may end before it has read everything.
    let _ = child
        .stdin
        .take()
        .expect("it was asked for")
        .write_all(input.as_ref());
    let output = child.wait_with_output().expect("a child can be waited for");
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A new RSA key of this size, PKCS#8 in PEM.
#[must_use]
pub fn rsa(bits: usize) -> String {
    text(
        &format!("genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"),
        "",
    )
}

/// A new key on a curve, `P-256` or `P-384`, PKCS#8 in PEM.
#[must_use]
pub fn ec(curve: &str) -> String {
    text(
        &format!("genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:{curve}"),
        "",
    )
}

/// A new Ed25519 key, PKCS#8 in PEM.
#[must_use]
pub fn ed25519() -> String {
    text("genpkey -quiet -algorithm ED25519", "")
}
