//! The assertions of other gateways, so that a backend that was written for one of them works behind
//! this stack.

use super::{CopiedClaims, Policy};
use http::HeaderName;
use std::time::Duration;
use tower_jwks::Algorithm;

/// What stands for the application and the API in WSO2's dialect has no place in these: they claim
/// what their gateways claim, of the user, from the claims of the access token. A claim that the
/// access token has not is absent.
///
/// Only the backend's settings have to know that it is another who signs: the key set it fetches, and
/// where the preset takes it as an argument, the issuer and the audience.
impl Policy {
    /// As Google's Identity-Aware Proxy has it: `x-goog-iap-jwt-assertion`, ES256, ten minutes,
    /// `iss` `https://cloud.google.com/iap`; `email`, `hd` and `google` are copied.
    ///
    /// `audience` is what the backend expects, `/projects/NUMBER/global/backendServices/ID` for one.
    /// IAP writes `accounts.google.com:` before `sub` and `email`; this does not.
    ///
    /// ```
    /// use tower_backend_jwt::{BackendJwtLayer, Policy};
    /// use tower_jwks::{Algorithm, KeyRing};
    ///
    /// let policy = Policy::google_iap("/projects/1/global/backendServices/2");
    /// assert_eq!(policy.header_name(), "x-goog-iap-jwt-assertion");
    /// let layer = BackendJwtLayer::new(KeyRing::generate(Algorithm::ES256)?).policy(policy)?;
    /// # Ok::<(), tower_jwks::ConfigError>(())
    /// ```
    pub fn google_iap(audience: impl Into<String>) -> Self {
        Self::of_the_user("x-goog-iap-jwt-assertion")
            .issuer("https://cloud.google.com/iap")
            .audience(audience)
            .algorithm(Algorithm::ES256)
            .ttl(Duration::from_secs(600))
            .copied_claims(CopiedClaims::listed(["azp", "email", "hd", "google"]))
    }

    /// As Cloudflare Access has it: `Cf-Access-Jwt-Assertion`, RS256, `aud` an array; `email`,
    /// `country`, `identity_nonce`, `type` and `custom` are copied.
    ///
    /// `team` is the issuer, `https://TEAM.cloudflareaccess.com` for one; `audience` is the
    /// application's AUD tag. Access puts the token into the cookie `CF_Authorization` too; this does
    /// not.
    pub fn cloudflare_access(team: impl Into<String>, audience: impl Into<String>) -> Self {
        let mut policy = Self::of_the_user("cf-access-jwt-assertion")
            .issuer(team)
            .audience(audience)
            .algorithm(Algorithm::RS256)
            .copied_claims(CopiedClaims::listed([
                "email",
                "country",
                "identity_nonce",
                "type",
                "custom",
            ]));
        policy.audience_array = true;
        policy.not_before = true;
        policy
    }

    /// As Pomerium has it: `X-Pomerium-Jwt-Assertion`, ES256, five minutes, `iss` and `aud` the host of
    /// the route; `email`, `groups`, `name`, `user` and `sid` are copied.
    pub fn pomerium(host: impl Into<String>) -> Self {
        let host = host.into();
        Self::of_the_user("x-pomerium-jwt-assertion")
            .issuer(host.clone())
            .audience(host)
            .algorithm(Algorithm::ES256)
            .ttl(Duration::from_secs(300))
            .copied_claims(CopiedClaims::listed([
                "email", "groups", "name", "user", "sid",
            ]))
    }

    /// In the header of AWS' Application Load Balancer: `x-amzn-oidc-data`, ES256, two minutes; `email`
    /// and other claims of the user are copied.
    ///
    /// Of AWS only the header's name and the algorithm: its tokens are padded, which JWT libraries
    /// refuse, and name their keys for an endpoint that is no JWKS.
    pub fn aws_alb(issuer: impl Into<String>) -> Self {
        Self::of_the_user("x-amzn-oidc-data")
            .issuer(issuer)
            .algorithm(Algorithm::ES256)
            .ttl(Duration::from_secs(120))
            .copied_claims(CopiedClaims::listed([
                "email",
                "email_verified",
                "family_name",
                "given_name",
                "name",
                "username",
            ]))
    }

    fn of_the_user(header: &'static str) -> Self {
        Self::default()
            .header(HeaderName::from_static(header))
            .no_dialect()
    }
}
