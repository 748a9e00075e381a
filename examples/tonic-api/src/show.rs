//! What is printed.

use crate::{client::Client, demo::Provider};
use serde_json::{Map, Value};
use std::fmt::{Display, Write};
use tonic::Status;
use tower::BoxError;

pub(crate) async fn what_clients_get(url: &str, provider: &Provider) -> Result<String, BoxError> {
    let anonymous = Client::connect(url.to_owned()).await?;
    let unscoped = anonymous.with_token(&provider.token("openid")?)?;
    let scoped = anonymous.with_token(&provider.token("openid greet")?)?;

    let without = shown(anonymous.who_am_i().await.map(|reply| reply.subject));
    let unscoped = shown(unscoped.who_am_i().await.map(|reply| reply.subject));
    let reply = scoped.who_am_i().await?;
    let (subject, client) = (&reply.subject, &reply.client_id);
    let mut text = format!(
        "Serving at {url}. What clients get:

  WhoAmI without a token      {without}
  WhoAmI without the scope    {unscoped}
  WhoAmI with a good token    You are {subject}, and call through {client}.
  Greet, in a stream
"
    );
    for greeting in scoped.greet(3).await? {
        writeln!(text, "                              {greeting}")?;
    }
    text += "\nWhat services that the server calls are told in X-JWT-Assertion:\n\n";
    let claims: Map<String, Value> = serde_json::from_str(&reply.backend_claims)?;
    for (name, value) in &claims {
        writeln!(text, "  {name:38}  {value}")?;
    }
    Ok(text)
}

fn shown(answer: Result<impl Display, Status>) -> String {
    match answer {
        Ok(answer) => answer.to_string(),
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
    }
}

pub(crate) fn things_to_try(url: &str) -> String {
    format!(
        r#"
It keeps serving until Ctrl-C. In another terminal, a call without a token, as it is in HTTP/2:

    curl -i -X POST --http2-prior-knowledge -H "content-type: application/grpc" {url}/demo.Caller/WhoAmI

The key that services behind verify X-JWT-Assertion with:

    curl -i {url}/.wellknown/jwks

"#
    )
}
