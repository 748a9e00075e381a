//! An identity provider for demonstrations: makes a key, writes its public half as a JWK Set, and
//! prints an access token that it signed.
//!
//! ```sh
//! TOKEN=$(cargo run -q -p gateway --bin demo-idp -- --out examples/gateway/idp)
//! ```
//!
//! The private key is never written down, so each run makes the tokens of the last one worthless.

use std::{error::Error, fs, path::PathBuf, process::ExitCode};

use lexopt::{Arg, Parser, ValueExt};
use serde_json::json;
use tower_jwks::{Algorithm, Clock, JwkSet, SigningKey, SystemClock};

const HELP: &str = "\
Makes a key, writes its public half to DIR/jwks.json, and prints an access token.

Usage: demo-idp --out DIR [options]

Options:
  --out DIR        where jwks.json goes; one that is there is overwritten
  --issuer TEXT    `iss` of the token     [https://idp.example.com]
  --audience TEXT  `aud` of the token     [test-backend-jwt]; more than one may be given
  --subject TEXT   `sub` of the token     [alice]
  --scope TEXT     `scope` of the token   [openid email]
  --minutes N      how long it is valid   [60]
";

struct Options {
    out: PathBuf,
    issuer: String,
    audiences: Vec<String>,
    subject: String,
    scope: String,
    minutes: u64,
}

fn main() -> ExitCode {
    match parse().and_then(|options| options.map(|options| issue(&options)).transpose()) {
        Ok(Some(token)) => println!("{token}"),
        Ok(None) => print!("{HELP}"),
        Err(error) => {
            eprintln!("demo-idp: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Nothing if help is asked for.
fn parse() -> Result<Option<Options>, Box<dyn Error>> {
    let mut out = None;
    let mut options = Options {
        out: PathBuf::new(),
        issuer: "https://idp.example.com".to_owned(),
        audiences: Vec::new(),
        subject: "alice".to_owned(),
        scope: "openid email".to_owned(),
        minutes: 60,
    };
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("out") => out = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("issuer") => options.issuer = arguments.value()?.string()?,
            Arg::Long("audience") => options.audiences.push(arguments.value()?.string()?),
            Arg::Long("subject") => options.subject = arguments.value()?.string()?,
            Arg::Long("scope") => options.scope = arguments.value()?.string()?,
            Arg::Long("minutes") => options.minutes = arguments.value()?.parse()?,
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    options.out = out.ok_or("--out DIR is missing; --help says more")?;
    if options.audiences.is_empty() {
        options.audiences.push("test-backend-jwt".to_owned());
    }
    Ok(Some(options))
}

fn issue(options: &Options) -> Result<String, Box<dyn Error>> {
    let key = SigningKey::generate(Algorithm::ES256)?;
    let file = options.out.join("jwks.json");
    fs::create_dir_all(&options.out)?;
    fs::write(&file, JwkSet::new([key.jwk().clone()])?.json())?;
    eprintln!("wrote {}; start what reads it (again)", file.display());

    let audience = match &options.audiences[..] {
        [one] => json!(one),
        several => json!(several),
    };
    let now = SystemClock.now().as_secs();
    let claims = json!({
        "iss": options.issuer,
        "sub": options.subject,
        "aud": audience,
        "iat": now,
        "exp": now.saturating_add(options.minutes.saturating_mul(60)),
        // A key signs one token, so its name will do for the token's.
        "jti": key.kid(),
        "client_id": "demo-client",
        "azp": "demo-client",
        "scope": options.scope,
        "email": format!("{}@example.com", options.subject),
    });
    Ok(key.sign_jws("at+jwt", claims.to_string().as_bytes())?)
}
