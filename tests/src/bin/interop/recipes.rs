use serde_json::{Map, Value, json};
use tower_backend_jwt::{ClaimType, Compatibility, CustomClaim, Policy};
use tower_jwks::{Algorithm, SigningKey};

use crate::access_token::private_claims;
use crate::{Failure, object};

/// What a backend JWT is made with, and what it has to say then.
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) key: SigningKey,
    pub(crate) policy: Policy,
    pub(crate) claims: Map<String, Value>,
    /// Libraries that refuse it, though nothing is wrong with it.
    pub(crate) refused_by: &'static [&'static str],
}

/// A case more is an element more.
pub(crate) fn all() -> Result<Vec<Recipe>, Failure> {
    let es256 = || SigningKey::generate(Algorithm::ES256);
    let rs256 = || SigningKey::generate(Algorithm::RS256);
    let invoices = || Policy::default().audience("invoices");
    let mut recipes = vec![recipe(
        "standard",
        rs256()?,
        Policy::default(),
        dialect(json!({})),
    )];
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm)?;
        let policy = Policy::wso2().algorithm(algorithm);
        recipes.push(recipe("wso2", key, policy, wso2(json!({}))));
    }
    recipes.extend([
        recipe(
            "wso2, kid of a certificate",
            with_certificate()?.with_certificate_kid()?,
            Policy::wso2(),
            wso2(json!({})),
        ),
        recipe(
            "wso2, claims of every type",
            rs256()?,
            custom_claims()?,
            wso2(json!({
                "http://wso2.org/claims/région": "Zürich ☃",
                "int": -7,
                "long": i64::MAX,
                "float": 2.5,
                "bool": true,
                "date": "2026-01-31T12:00:00Z",
            })),
        ),
        Recipe {
            // Its parser of JSON takes it for a control character, which it is not in RFC 8259.
            refused_by: &["Nimbus"],
            ..recipe(
                "wso2, a claim with DEL",
                rs256()?,
                Policy::wso2().custom_claim("delete", "\u{7f}"),
                wso2(json!({})),
            )
        },
        recipe(
            "wso2, kid of an issuer and a serial number",
            with_certificate()?.with_issuer_serial_kid()?,
            Policy::wso2(),
            wso2(json!({})),
        ),
        recipe(
            "wso2, x5t beside the kid",
            with_certificate()?,
            Policy::wso2().compatibility(Compatibility::X5t),
            wso2(json!({})),
        ),
        Recipe {
            // Finds no key of that thumbprint in the set: those that are published have none.
            refused_by: &["Nimbus"],
            ..recipe(
                "wso2, x5t#S256 beside the kid",
                with_certificate()?,
                Policy::wso2().compatibility(Compatibility::X5tS256),
                wso2(json!({})),
            )
        },
        recipe(
            "wso2, x5t and no kid",
            with_certificate()?,
            Policy::wso2()
                .compatibility(Compatibility::X5t)
                .compatibility(Compatibility::NoKid),
            wso2(json!({})),
        ),
        Recipe {
            // It is no JWT.
            refused_by: &["PyJWT", "joserfc", "jose", "jsonwebtoken", "go-jose"],
            ..recipe(
                "wso2, in the standard alphabet",
                rs256()?,
                Policy::wso2().compatibility(Compatibility::StandardAlphabet),
                wso2(json!({})),
            )
        },
        recipe(
            "another dialect",
            rs256()?,
            Policy::default().dialect("urn:gateway:"),
            object(json!({
                "iss": "wso2.org/products/am",
                "urn:gateway:/apiname": "orders",
                "urn:gateway:/apicontext": "/orders/1.0.0",
            })),
        ),
        recipe(
            "one audience",
            es256()?,
            invoices().algorithm(Algorithm::ES256),
            dialect(json!({ "aud": "invoices" })),
        ),
        recipe(
            "two audiences",
            es256()?,
            invoices().audience("mail").algorithm(Algorithm::ES256),
            dialect(json!({ "aud": ["invoices", "mail"] })),
        ),
        recipe(
            "google_iap",
            es256()?,
            Policy::google_iap("/projects/1/global/backendServices/2"),
            object(json!({
                "iss": "https://cloud.google.com/iap",
                "aud": "/projects/1/global/backendServices/2",
                "email": "alice@example.com",
            })),
        ),
        recipe(
            "cloudflare_access",
            rs256()?,
            Policy::cloudflare_access("https://team.cloudflareaccess.com", "tag"),
            object(json!({
                "iss": "https://team.cloudflareaccess.com",
                "aud": ["tag"],
                "email": "alice@example.com",
            })),
        ),
        recipe(
            "pomerium",
            es256()?,
            Policy::pomerium("orders.example.com"),
            object(json!({
                "iss": "orders.example.com",
                "aud": "orders.example.com",
                "email": "alice@example.com",
            })),
        ),
        recipe(
            "aws_alb",
            es256()?,
            Policy::aws_alb("https://gateway.example.com"),
            object(json!({
                "iss": "https://gateway.example.com",
                "email": "alice@example.com",
            })),
        ),
    ]);
    Ok(recipes)
}

/// One that every library accepts.
fn recipe(
    name: &'static str,
    key: SigningKey,
    policy: Policy,
    claims: Map<String, Value>,
) -> Recipe {
    Recipe {
        name,
        key,
        policy,
        claims,
        refused_by: &[],
    }
}

/// What the gateway says of the API, the application and the user, and more.
fn dialect(more: Value) -> Map<String, Value> {
    let mut claims = object(json!({
        "iss": "wso2.org/products/am",
        "azp": "shop",
        "scope": "orders:read orders:write",
        "email": "alice@example.com",
        "http://wso2.org/claims/apiname": "orders",
        "http://wso2.org/claims/version": "1.0.0",
        "http://wso2.org/claims/apicontext": "/orders/1.0.0",
        "http://wso2.org/claims/keytype": "PRODUCTION",
        "http://wso2.org/claims/usertype": "Application_User",
        "http://wso2.org/claims/subscriber": "carol",
        "http://wso2.org/claims/applicationname": "shop",
        "http://wso2.org/claims/tier": "Gold",
    }));
    claims.extend(object(more));
    claims
}

/// The same with the copied claims.
fn wso2(more: Value) -> Map<String, Value> {
    let mut claims = dialect(more);
    claims.extend(private_claims());
    claims
}

fn custom_claims() -> Result<Policy, Failure> {
    Ok(Policy::wso2()
        .custom_claim("http://wso2.org/claims/région", "Zürich ☃")
        .custom_claim("int", -7)
        .custom_claim("long", i64::MAX)
        .custom_claim("float", CustomClaim::parse(ClaimType::Float, "2.5")?)
        .custom_claim("bool", true)
        .custom_claim(
            "date",
            CustomClaim::parse(ClaimType::Date, "2026-01-31T12:00:00Z")?,
        ))
}

fn with_certificate() -> Result<SigningKey, Failure> {
    let pem = tests::openssl::rsa(2048);
    let request = "req -x509 -key /dev/stdin -subj /CN=gateway -days 2";
    let certificate = tests::openssl::text(request, &pem);
    Ok(SigningKey::from_pem(Algorithm::RS256, &pem)?.with_certificate_pem(&certificate)?)
}
