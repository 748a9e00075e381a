//! What a deployed API is called.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::apk_conf::Api;

const LONGEST: usize = 64;

/// The id of an API: its conf's own or, as in WSO2 APK, a hash of organisation, name and version.
///
/// SHA-1 makes a name here and secures nothing: who may deploy may choose the id anyway.
pub(crate) fn id_of(api: &Api) -> String {
    if let Some(id) = &api.id {
        return id.clone();
    }
    let text = format!("default-{}-{}", api.name, api.version);
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}

/// Passes an id that can be the name of a file and a segment of a path, and is none of another thing.
pub(super) fn check(id: &str) -> Result<(), &'static str> {
    if !(1..=LONGEST).contains(&id.len()) {
        return Err("has to have 1 to 64 characters");
    }
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        return Err("has a character other than A-Z, a-z, 0-9, `.`, `_` and `-`");
    }
    if id.starts_with('.') {
        return Err("begins with a dot");
    }
    if matches!(id, "deploy" | "undeploy") {
        return Err("is the name of a call");
    }
    if is_device(id) {
        return Err("is the name of a device on Windows");
    }
    Ok(())
}

/// `con.yaml` is the console there, in whichever directory.
fn is_device(id: &str) -> bool {
    let name = id.split('.').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("com").or(name.strip_prefix("lpt")) {
        Some(number) => matches!(number.as_bytes(), [b'1'..=b'9']),
        None => matches!(name.as_str(), "con" | "nul" | "aux" | "prn"),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_api_without_an_id_has_the_one_that_wso2_apk_gives_it() {
        let conf = "name: EmployeeServiceAPI\nversion: '3.14'\nbasePath: /test\n\
                    endpointConfigurations: {production: {endpoint: 'http://127.0.0.1:9'}}\n\
                    operations: [{target: /, verb: GET}]\n";
        let id = |conf: &str| id_of(&Api::from_yaml(conf, Path::new("a.yaml"), None).unwrap());
        // printf default-EmployeeServiceAPI-3.14 | sha1sum
        assert_eq!(id(conf), "f7996dce4ac15e2af0f8ee14546c4f72988eddae");
        assert_eq!(id(&format!("{conf}id: own\n")), "own");
    }

    #[test]
    fn an_id_is_never_a_path() {
        for id in [
            "a",
            "A-b_c.d",
            "0",
            "a..b",
            "console",
            "com",
            "com10",
            "a.con",
            &"a".repeat(64),
        ] {
            assert_eq!(check(id), Ok(()), "{id}");
        }
        for id in [
            "",
            ".",
            "..",
            ".a",
            "../a",
            "a/b",
            "a\\b",
            "/etc",
            "a b",
            "a\0",
            "caf\u{e9}",
            "a%2fb",
            "a:b",
            "deploy",
            "con",
            "NUL",
            "aux.v1",
            "Prn.a.b",
            "com1",
            "LPT9.x",
            &"a".repeat(65),
        ] {
            assert!(check(id).is_err(), "{id}");
        }
    }
}
