//! Keys and tokens of an identity provider.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use std::time::{SystemTime, UNIX_EPOCH};

/// The issuer of the tokens.
pub const ISSUER: &str = "https://idp.example.com/oauth2/token";

/// Whom they are for.
pub const AUDIENCE: &str = "orders";

/// As long as a thumbprint (RFC 7638).
const KID: &str = "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjU";

/// An identity provider with one RSA key of 2048 bits, which signs RS256.
#[derive(Debug)]
pub struct Provider {
    pair: RsaKeyPair,
    issuer: String,
}

impl Provider {
    /// With a key that was made for it, as [`ISSUER`].
    #[must_use]
    pub fn generate() -> Self {
        Self {
            pair: RsaKeyPair::generate(KeySize::Rsa2048).expect("aws-lc-rs generates RSA keys"),
            issuer: ISSUER.to_owned(),
        }
    }

    /// Under another name: for a peer that fetches the keys from there.
    #[must_use]
    pub fn named(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// The key set that it publishes.
    #[must_use]
    pub fn jwks(&self) -> String {
        let der = self.pair.public_key().as_ref();
        // Of a key with 2048 bits, RFC 8017 appendix A.1.1 has one form: SEQUENCE, modulus, exponent 65537.
        assert_eq!((der.len(), &der[265..]), (270, &[2, 3, 1, 0, 1][..]));
        let (n, e) = (BASE64.encode(&der[9..265]), BASE64.encode(&der[267..]));
        format!(
            r#"{{"keys":[{{"kty":"RSA","use":"sig","alg":"RS256","kid":"{KID}","n":"{n}","e":"{e}"}}]}}"#
        )
    }

    /// The public key, prepared.
    #[must_use]
    pub fn public_key(&self) -> ParsedPublicKey {
        let der = self.pair.public_key().as_ref();
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).expect("it was just generated")
    }

    /// The private key, as PKCS #8.
    #[must_use]
    pub fn private_key_der(&self) -> Vec<u8> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().expect("it was just generated");
        der.as_ref().to_vec()
    }

    /// A token that no other number has, valid for an hour from now.
    #[must_use]
    pub fn token(&self, number: usize) -> String {
        let header = format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{KID}"}}"#);
        let now = now();
        let claims = claims(&self.issuer, number, now, now + 3600);
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .expect("a buffer of the modulus' length is enough");
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// Tokens, no two alike.
    #[must_use]
    pub fn tokens(&self, count: usize) -> Vec<String> {
        (0..count).map(|number| self.token(number)).collect()
    }

    /// Tokens with the right `kid` and sound claims that somebody without the key has made: each has the signature
    /// of another.
    #[must_use]
    pub fn forged(tokens: &[String]) -> Vec<String> {
        let parts: Vec<_> = tokens
            .iter()
            .map(|token| token.rsplit_once('.').expect("a JWS has two dots"))
            .collect();
        let others = parts.iter().cycle().skip(1);
        let forged = parts.iter().zip(others);
        forged
            .map(|((signed, _), (_, signature))| format!("{signed}.{signature}"))
            .collect()
    }

    /// The token with a `kid` that nobody has, as long as the right one.
    #[must_use]
    pub fn with_unknown_kid(token: &str) -> String {
        let (_, rest) = token.split_once('.').expect("a JWS has two dots");
        let kid: String = KID.chars().rev().collect();
        let header = format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{kid}"}}"#);
        format!("{}.{rest}", BASE64.encode(header))
    }
}

/// The claims of a WSO2 key manager's access token, with groups to make it 1,600 bytes when RS256 signs it. No other
/// number has the same.
#[must_use]
pub fn claims(issuer: &str, number: usize, now: u64, exp: u64) -> String {
    format!(
        r#"{{"sub":"11f53c32-f8ac-4810-bb79-615b2184baf5","aut":"APPLICATION_USER","iss":"{issuer}","client_id":"IMJB5ZiR1dHQYBdiMIRAGis1WToa","aud":["{AUDIENCE}","IMJB5ZiR1dHQYBdiMIRAGis1WToa"],"nbf":{now},"azp":"IMJB5ZiR1dHQYBdiMIRAGis1WToa","org_id":"b554e001-761c-4d3a-a7a6-a61d73d34221","scope":"email openid profile orders:read orders:write","exp":{exp},"org_name":"test","iat":{now},"email":"testmail@example.com","jti":"{number:08x}-d386-4a81-9ca0-0a23f809cd3c","groups":["{groups}"]}}"#,
        groups = "engineering\",\"".repeat(25) + "all"
    )
}

/// Seconds since 1970.
// Fixed times would spare what is measured the question for the time, which every request asks.
#[allow(clippy::disallowed_methods)]
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_size_that_the_figures_are_for() {
        let length = Provider::generate().token(7).len();
        assert!((1552..=1648).contains(&length), "{length} bytes");
    }

    #[test]
    fn a_forged_token_differs_from_the_good_one_in_its_signature_only() {
        let tokens = Provider::generate().tokens(3);
        for (good, forged) in tokens.iter().zip(Provider::forged(&tokens)) {
            assert_ne!(*good, forged);
            assert_eq!(
                good.rsplit_once('.').unwrap().0,
                forged.rsplit_once('.').unwrap().0
            );
        }
    }
}
