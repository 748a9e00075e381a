//! What one writes by hand with tower-http and jsonwebtoken: a validation, and a backend JWT as well.

use axum::{body::Body, response::Response};
use bench_kit::{AUDIENCE, Case, ISSUER, now, raw_sign, through};
use http::{HeaderValue, Request, StatusCode, header::AUTHORIZATION};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    jwk::JwkSet,
};
use peer_costs::{Given, router, run, validating};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, future::ready, process::ExitCode, sync::Arc};
use tower_http::auth::AsyncRequireAuthorizationLayer;
use uuid::Uuid;

/// What a service wants to know of a caller.
#[derive(Clone, Deserialize)]
struct AccessToken {
    sub: String,
    client_id: String,
    scope: String,
    email: String,
    org_id: String,
    groups: Vec<String>,
}

/// What it tells those behind it.
#[derive(Serialize)]
struct BackendJwt {
    iss: String,
    iat: u64,
    exp: u64,
    jti: String,
    sub: String,
    #[serde(rename = "http://wso2.org/claims/apiname")]
    api_name: String,
    #[serde(rename = "http://wso2.org/claims/version")]
    version: String,
    #[serde(rename = "http://wso2.org/claims/apicontext")]
    context: String,
    #[serde(rename = "http://wso2.org/claims/keytype")]
    key_type: String,
    #[serde(rename = "http://wso2.org/claims/usertype")]
    user_type: String,
    client_id: String,
    scope: String,
    email: String,
    org_id: String,
    groups: Vec<String>,
}

struct Gate {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

struct Mint {
    key: EncodingKey,
    header: Header,
}

impl Gate {
    fn new(given: &Given) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_nbf = true;
        let set: JwkSet = serde_json::from_str(&given.provider.jwks()).expect("a key set");
        let keys = set.keys.iter().map(|jwk| {
            let kid = jwk.common.key_id.clone().expect("it has a name");
            (kid, DecodingKey::from_jwk(jwk).expect("an RSA key"))
        });
        Self {
            keys: keys.collect(),
            validation,
        }
    }

    fn admit<B>(&self, request: &Request<B>) -> Option<AccessToken> {
        let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        let token = value.strip_prefix("Bearer ")?;
        let key = self.keys.get(&decode_header(token).ok()?.kid?)?;
        let decoded = decode::<AccessToken>(token, key, &self.validation);
        Some(decoded.ok()?.claims)
    }
}

impl Mint {
    fn sign(&self, token: &AccessToken) -> Option<String> {
        let token = token.clone();
        let iat = now();
        let claims = BackendJwt {
            iss: "wso2.org/products/am".to_owned(),
            iat,
            exp: iat + 900,
            jti: Uuid::new_v4().to_string(),
            sub: token.sub,
            api_name: "orders".to_owned(),
            version: "1.0.0".to_owned(),
            context: "/orders".to_owned(),
            key_type: "PRODUCTION".to_owned(),
            user_type: "Application_User".to_owned(),
            client_id: token.client_id,
            scope: token.scope,
            email: token.email,
            org_id: token.org_id,
            groups: token.groups,
        };
        encode(&self.header, &claims, &self.key).ok()
    }
}

fn refused() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

fn main() -> ExitCode {
    run(async |given: &Given| vec![validate(given), sign(given), both(given)])
}

fn validate(given: &Given) -> Case {
    let gate = Arc::new(Gate::new(given));
    let layer = AsyncRequireAuthorizationLayer::new(move |mut request: Request<Body>| {
        let token = gate.admit(&request);
        ready(match token {
            Some(token) => {
                request.extensions_mut().insert(token);
                Ok(request)
            }
            None => Err(refused()),
        })
    });
    let router = router().layer(layer);
    validating::<_, Body, _>("peer-tower-http-jsonwebtoken-aws-lc-rs", router, given)
}

fn own_key(given: &Given) -> Mint {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("own".to_owned());
    // PKCS #8 cannot be read without PEM; what is inside is the key as jsonwebtoken takes it.
    let pkcs8 = given.provider.private_key_der();
    let key = EncodingKey::from_rsa_der(&pkcs8[26..]);
    Mint { key, header }
}

/// The bare signature over a backend JWT as it is made here.
fn sign(given: &Given) -> Case {
    let token = request_with(&given.tokens[0]);
    let token = Gate::new(given).admit(&token).expect("a valid token");
    let jwt = own_key(given).sign(&token).expect("an RSA key signs");
    raw_sign("raw-sign-rs256", &given.provider.private_key_der(), &jwt)
}

fn request_with(token: &str) -> Request<()> {
    let request = Request::get("/orders").header(AUTHORIZATION, format!("Bearer {token}"));
    request.body(()).expect("a token is a field value")
}

fn both(given: &Given) -> Case {
    let (gate, mint) = (Arc::new(Gate::new(given)), Arc::new(own_key(given)));
    let layer = AsyncRequireAuthorizationLayer::new(move |mut request: Request<Body>| {
        let jwt = gate.admit(&request).and_then(|token| mint.sign(&token));
        let value = jwt.and_then(|jwt| HeaderValue::try_from(jwt).ok());
        ready(match value {
            Some(value) => {
                request.headers_mut().remove(AUTHORIZATION);
                request.headers_mut().insert("x-jwt-assertion", value);
                Ok(request)
            }
            None => Err(refused()),
        })
    });
    through::<_, Body, _>(
        "peer-by-hand-validate-and-mint",
        router().layer(layer),
        &given.tokens,
        StatusCode::OK,
    )
    .times(&["raw-verify-rs256", "raw-sign-rs256"])
}
