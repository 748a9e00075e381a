//! Calls by curl.

use crate::Failure;
use serde_json::Value;
use std::process::{Command, Stdio};

/// What curl got.
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) body: String,
}

pub(crate) fn curl(arguments: &[&str]) -> Result<Answer, Failure> {
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
        ])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let (body, status) = text.rsplit_once('\n').ok_or("curl wrote nothing")?;
    Ok(Answer {
        status: status.to_owned(),
        body: body.to_owned(),
    })
}

/// What the service behind saw of a call with this token.
pub(crate) fn called(url: &str, token: &str) -> Result<Value, Failure> {
    let answer = curl(&["-H", &format!("Authorization: Bearer {token}"), url])?;
    expect(&answer, "200")?;
    Ok(serde_json::from_str(&answer.body)?)
}

pub(crate) fn expect(answer: &Answer, status: &str) -> Result<(), Failure> {
    if answer.status == status {
        return Ok(());
    }
    Err(format!("answered {}, not {status}: {}", answer.status, answer.body).into())
}
