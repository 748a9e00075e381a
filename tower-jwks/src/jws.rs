//! A JWS in compact form, and the older forms of it.

use crate::{ConfigError, KeysUnavailable, SigningKey, base64url, jws_header::Header};

/// A JWS that is yet to be signed, by [`SigningKey::jws`].
///
/// As it is, it becomes what [`SigningKey::sign_jws`] writes: `typ`, `alg` and `kid` in its header, all
/// in base64url. The methods give it the forms of older WSO2 products, for services that were written
/// for one of them. The header has no other members: what is in it follows from the key.
///
/// ```
/// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
/// use tower_jwks::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::ES256)?.with_kid("one")?;
/// let jwt = key.jws("JWT").sign(br#"{"sub":"alice"}"#)?;
/// let header = jwt.split('.').next().unwrap_or_default();
/// assert_eq!(
///     BASE64_URL_SAFE_NO_PAD.decode(header)?,
///     br#"{"typ":"JWT","alg":"ES256","kid":"one"}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Jws<'a> {
    key: &'a SigningKey,
    header: Header<'a>,
    /// Whether it is written in the standard alphabet.
    standard: bool,
}

impl<'a> Jws<'a> {
    pub(crate) fn new(key: &'a SigningKey, typ: &'a str) -> Self {
        Self {
            key,
            header: Header {
                typ,
                alg: key.algorithm(),
                x5t: None,
                x5t_s256: None,
                kid: Some(key.kid()),
            },
            standard: false,
        }
    }

    /// Adds the `x5t` of the key's certificate in WSO2's form, which is not that of RFC 7515: see
    /// [`SigningKey::wso2_x5t`].
    ///
    /// SHA-1 is broken. Take it only for a service that finds its key by this text and then verifies
    /// with a certificate of its own.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// assert!(key.jws("JWT").with_wso2_x5t().is_err(), "there is no certificate");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The key has no certificate.
    pub fn with_wso2_x5t(mut self) -> Result<Self, ConfigError> {
        self.header.x5t = Some(self.key.wso2_x5t().ok_or_else(|| no_certificate("x5t"))?);
        Ok(self)
    }

    /// Adds the `x5t#S256` of the key's certificate in WSO2's form, which is not that of RFC 7515: see
    /// [`SigningKey::wso2_x5t_s256`].
    ///
    /// Nimbus JOSE+JWT then looks for a key with that member in the set, and finds none in what a
    /// [`KeyRing`](crate::KeyRing) publishes.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let refused = key.jws("JWT").with_wso2_x5t_s256().unwrap_err();
    /// assert_eq!(refused.field(), "x5t#S256");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The key has no certificate.
    pub fn with_wso2_x5t_s256(mut self) -> Result<Self, ConfigError> {
        let x5t_s256 = self.key.wso2_x5t_s256();
        self.header.x5t_s256 = Some(x5t_s256.ok_or_else(|| no_certificate("x5t#S256"))?);
        Ok(self)
    }

    /// Leaves the `kid` out, as products did that name the key by `x5t` alone.
    ///
    /// Who verifies by the published set has no name to find the key by then, and has to try each one.
    ///
    /// ```
    /// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let jwt = key.jws("JWT").without_kid().sign(b"{}")?;
    /// let header = jwt.split('.').next().unwrap_or_default();
    /// let header = BASE64_URL_SAFE_NO_PAD.decode(header)?;
    /// assert_eq!(header, br#"{"typ":"JWT","alg":"ES256"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn without_kid(mut self) -> Self {
        self.header.kid = None;
        self
    }

    /// Writes all three parts in the standard alphabet of base64 (`+` and `/`), without padding, as API
    /// Manager's `encoding = "base64"` does.
    ///
    /// The outcome is no JWS by RFC 7515, and libraries that keep to it refuse it, ours with them, but for
    /// the few texts that happen to be the same in both alphabets. The
    /// signature is over the text as it is written, so it can be written in base64url no more.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let text = key.jws("JWT").with_standard_alphabet().sign(&[0xfb; 3])?;
    /// assert_eq!(text.split('.').nth(1), Some("+/v7"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn with_standard_alphabet(mut self) -> Self {
        self.standard = true;
        self
    }

    /// Signs `payload`, and writes header, payload and signature with dots between them (RFC 7515
    /// section 7.1).
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::EdDSA)?;
    /// let jws = key.jws("JWT").sign(b"{}")?;
    /// assert_eq!(jws, key.sign_jws("JWT", b"{}")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`SigningKey::sign`].
    pub fn sign(self, payload: &[u8]) -> Result<String, KeysUnavailable> {
        let push = |text: &mut String, bytes: &[u8]| base64url::push(text, bytes, self.standard);
        let header = self.key.headers().segment(self.header, self.standard, || {
            let mut segment = String::new();
            push(&mut segment, &self.header.to_json());
            segment
        });
        let bytes = header.len()
            + base64url::encoded_len(payload.len())
            + base64url::encoded_len(self.key.signature_bytes())
            + "..".len();
        let mut jws = String::with_capacity(bytes);
        jws.push_str(&header);
        jws.push('.');
        push(&mut jws, payload);
        let signature = self.key.sign(jws.as_bytes())?;
        jws.push('.');
        push(&mut jws, signature.as_ref());
        Ok(jws)
    }
}

fn no_certificate(member: &'static str) -> ConfigError {
    ConfigError::new(member, "is of a certificate, and the key has none")
}
