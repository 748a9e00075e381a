//! What is printed.

use crate::backend::Exchange;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Map, Value};
use std::fmt::Write;
use tower::BoxError;
use tower_jwks::{Clock, SystemClock};

type Claims = Map<String, Value>;

pub(crate) fn access_token(provider: &str, token: &str) -> Result<String, BoxError> {
    let claims = token.split('.').nth(1).ok_or("this is not a JWT")?;
    let claims: Claims = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims)?)?;
    Ok(format!(
        "\n1. The identity provider at {provider} issues an access token. Its claims:\n\n{}",
        table(&claims)
    ))
}

pub(crate) fn call(orders: &str, token: &str) -> String {
    format!(
        "\n2. A client sends it to the gateway:\n\n       GET {orders}\n       \
         Authorization: Bearer {}\n",
        shortened(token)
    )
}

pub(crate) fn backend_jwt(gateway: &str, exchange: &Exchange) -> Result<String, BoxError> {
    Ok(format!(
        "\n3. The gateway checks it with the provider's key, which it has discovered, and passes\n   \
         the request on. In its place the backend sees\n\n       \
         X-JWT-Assertion: {}\n\n   with these claims:\n\n{}\n   \
         verified with the key published at {gateway}/.wellknown/jwks\n   ({}, kid {})\n",
        shortened(&exchange.header),
        table(&exchange.token.claims()?),
        exchange.token.algorithm(),
        exchange.token.kid().unwrap_or("none"),
    ))
}

pub(crate) fn answer(answer: &str) -> String {
    format!("\n4. The backend knows who is calling. The client gets:\n\n       {answer}\n")
}

pub(crate) fn another(exchange: &Exchange) -> String {
    format!(
        "the backend saw X-JWT-Assertion: {}\n",
        shortened(&exchange.header)
    )
}

pub(crate) fn things_to_try(provider: &str, gateway: &str, backend: &str) -> String {
    format!(
        r#"All three keep serving until Ctrl-C. In another terminal, get an access token:

    TOKEN=$(curl -s -X POST {provider}/token)

With it, the backend answers:

    curl -i -H "Authorization: Bearer $TOKEN" {gateway}/orders

Without it, the gateway does, with 401:

    curl -i {gateway}/orders

What a client pretends, the gateway replaces. Past the gateway, the backend does not believe it:

    curl -i -H "Authorization: Bearer $TOKEN" -H "X-JWT-Assertion: forged" {gateway}/orders
    curl -i -H "X-JWT-Assertion: forged" {backend}/orders

The key that the backend verifies with, for everybody to see:

    curl -i {gateway}/.wellknown/jwks

"#
    )
}

/// The claims in columns: first those of every JWT, then those the gateway makes, then the rest.
fn table(claims: &Claims) -> String {
    const FIRST: [&str; 6] = ["iss", "sub", "aud", "iat", "exp", "jti"];
    let mut claims: Vec<_> = claims.iter().collect();
    claims.sort_by_key(|(name, _)| {
        let made_by_the_gateway = name.starts_with("http://");
        let rank = FIRST.iter().position(|first| first == name);
        rank.unwrap_or(FIRST.len() + usize::from(!made_by_the_gateway))
    });
    let width = claims.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut table = String::new();
    for (name, value) in claims {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(time) if name == "exp" => {
                format!("{time} (in {} minutes)", minutes(time))
            }
            other => other.to_string(),
        };
        let _ = writeln!(table, "       {name:width$}  {value}");
    }
    table
}

fn minutes(time: &serde_json::Number) -> u64 {
    let seconds = time.as_u64().unwrap_or(0);
    seconds
        .saturating_sub(SystemClock.now().as_secs())
        .div_ceil(60)
}

/// The start of each of the three parts of a JWT: enough to recognize it by.
fn shortened(jwt: &str) -> String {
    let parts: Vec<String> = jwt
        .split('.')
        .map(|part| part.chars().take(16).collect())
        .collect();
    format!("{}… ({} characters)", parts.join("…."), jwt.len())
}
