//! A private key that signs with one algorithm, prepared once.

use crate::{
    Algorithm, ConfigError, Jwk, KeysUnavailable, RsaSize, UnixTime,
    algorithm::KeyType,
    crypto::{self, PrivateKey},
    der::{self, Certificate, certificate_error, private_key_error},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use std::fmt;

/// A private key, prepared for signing with one algorithm, with its `kid` and its public half.
///
/// It cannot be cloned, its `Debug` shows no secret, and what it was decoded into on the way is wiped
/// from memory. The text it was read from is the caller's, to keep or to wipe.
/// Share it through an `Arc`, or a [`KeyRing`](crate::KeyRing).
///
/// Its `kid` is the thumbprint of RFC 7638, unless another is chosen.
///
/// ```
/// use tower_jwks::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// assert_eq!(key.kid(), key.jwk().thumbprint());
/// assert_eq!(key.verifying_key().verify(b"message", key.sign(b"message")?.as_ref()), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SigningKey {
    algorithm: Algorithm,
    private: PrivateKey,
    jwk: Jwk,
    kid: Box<str>,
    certificate: Option<KeyCertificate>,
}

/// Signed once when a key is read.
const TRIAL: &[u8] = b"trial";

/// What is kept of the certificate of a key.
struct KeyCertificate {
    kid: String,
    not_after: UnixTime,
}

impl SigningKey {
    /// A new key for `algorithm`; an RSA key has 2048 bits.
    ///
    /// # Errors
    ///
    /// The backend gives no key. ring cannot generate RSA keys.
    pub fn generate(algorithm: Algorithm) -> Result<Self, ConfigError> {
        Self::generate_of(algorithm, RsaSize::default())
    }

    /// A new RSA key of this size.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate), or the algorithm is none of RSA.
    pub fn generate_rsa(algorithm: Algorithm, size: RsaSize) -> Result<Self, ConfigError> {
        if algorithm.key_type() != KeyType::Rsa {
            return Err(ConfigError::new(
                "algorithm",
                format!("{algorithm} has no RSA key"),
            ));
        }
        Self::generate_of(algorithm, size)
    }

    fn generate_of(algorithm: Algorithm, size: RsaSize) -> Result<Self, ConfigError> {
        let private =
            PrivateKey::generate(algorithm.key_type(), size).map_err(private_key_error)?;
        Self::new(algorithm, private)
    }

    /// Reads a private key from PEM: PKCS#8, PKCS#1 or SEC1.
    ///
    /// A certificate in the same text is taken to be the key's, as by
    /// [`with_certificate_pem`](Self::with_certificate_pem).
    ///
    /// # Errors
    ///
    /// There is no readable private key or more than one, it does not fit the algorithm, it is an RSA key under
    /// 2048 bits, or the certificate is of another key.
    pub fn from_pem(algorithm: Algorithm, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let (key, certificate) = der::private_key_pem(pem.as_ref())?;
        let key = Self::read(algorithm, &key)?;
        match certificate {
            Some(certificate) => key.with_certificate_der(&certificate),
            None => Ok(key),
        }
    }

    /// Reads a private key from DER: PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, ConfigError> {
        let key = PrivateKeyDer::try_from(der).map_err(private_key_error)?;
        Self::read(algorithm, &key)
    }

    fn read(algorithm: Algorithm, der: &PrivateKeyDer<'_>) -> Result<Self, ConfigError> {
        Self::new(algorithm, PrivateKey::read(algorithm, der)?)
    }

    fn new(algorithm: Algorithm, private: PrivateKey) -> Result<Self, ConfigError> {
        let material = private.public().map_err(private_key_error)?;
        let mut jwk = Jwk::new(material, algorithm);
        let kid = jwk.thumbprint();
        jwk.set_kid(kid.clone())?;
        // A damaged key is found here, and not by whoever verifies its first signature.
        let public = crate::VerifyingKey::from_jwk(algorithm, &jwk)?;
        let signed = private
            .sign(algorithm, TRIAL)
            .is_some_and(|signature| public.verify(TRIAL, &signature).is_ok());
        if !signed {
            return Err(private_key_error(
                "does not sign what its public half verifies",
            ));
        }
        Ok(Self {
            algorithm,
            private,
            jwk,
            kid: kid.into(),
            certificate: None,
        })
    }

    /// Reads the key's certificate from PEM, the first if there is a chain.
    ///
    /// From then on the key has an end: no token is signed that would outlive its certificate.
    ///
    /// # Errors
    ///
    /// There is no readable certificate, or it is of another key.
    pub fn with_certificate_pem(self, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let certificate: CertificateDer<'_> = der::certificate_pem(pem.as_ref())?;
        self.with_certificate_der(&certificate)
    }

    /// Reads the key's certificate from DER, as
    /// [`with_certificate_pem`](Self::with_certificate_pem) does from PEM.
    ///
    /// # Errors
    ///
    /// It is not readable, or of another key.
    pub fn with_certificate_der(mut self, der: &[u8]) -> Result<Self, ConfigError> {
        let certificate = Certificate::parse(der)?;
        if certificate.public != *self.jwk.material() {
            return Err(certificate_error("is of another key"));
        }
        let digest = crypto::sha256(der);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.certificate = Some(KeyCertificate {
            kid: BASE64_URL_SAFE_NO_PAD.encode(hex),
            not_after: certificate.not_after,
        });
        Ok(self)
    }

    /// Takes the `kid` that WSO2 Choreo Connect and Choreo give a key: the base64url of the 64
    /// lower-case hex characters of the SHA-256 of its certificate's DER.
    ///
    /// # Errors
    ///
    /// The key has no certificate.
    pub fn with_certificate_kid(self) -> Result<Self, ConfigError> {
        match &self.certificate {
            Some(certificate) => {
                let kid = certificate.kid.clone();
                self.with_kid(kid)
            }
            None => Err(ConfigError::new(
                "kid",
                "cannot be made from a certificate: the key has none",
            )),
        }
    }

    /// Takes this `kid`: 1 to 256 bytes, no control characters.
    ///
    /// # Errors
    ///
    /// It is not such a text.
    pub fn with_kid(mut self, kid: impl Into<String>) -> Result<Self, ConfigError> {
        let kid = kid.into();
        self.jwk.set_kid(kid.clone())?;
        self.kid = kid.into();
        Ok(self)
    }

    /// Its key id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its public half.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Its public half, prepared for verifying.
    #[must_use]
    pub fn verifying_key(&self) -> crate::VerifyingKey {
        crate::VerifyingKey::from_jwk(self.algorithm, &self.jwk)
            .expect("the public half of a key that was read or generated is a key")
    }

    /// The end of its certificate. Nothing it signs may be valid after that.
    #[must_use]
    pub fn not_after(&self) -> Option<UnixTime> {
        self.certificate
            .as_ref()
            .map(|certificate| certificate.not_after)
    }

    /// Signs `message`. ECDSA signatures are `r || s`, as JWS has them (RFC 7518 section 3.4).
    ///
    /// # Errors
    ///
    /// The backend fails, which a prepared key gives no cause for.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeysUnavailable> {
        self.private
            .sign(self.algorithm, message)
            .map(Signature)
            .ok_or_else(|| KeysUnavailable::new("the cryptographic backend failed to sign"))
    }

    /// Signs `payload` and writes it as a JWS in compact form (RFC 7515 section 7.1), with `typ`,
    /// `alg` and `kid` in its header. With a JSON object of claims as its payload that is a JWT.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let jwt = key.sign_jws("JWT", br#"{"sub":"alice"}"#)?;
    /// assert_eq!(jwt.split('.').count(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn sign_jws(&self, typ: &str, payload: &[u8]) -> Result<String, KeysUnavailable> {
        #[derive(Serialize)]
        struct Header<'a> {
            typ: &'a str,
            alg: Algorithm,
            kid: &'a str,
        }
        let header = serde_json::to_vec(&Header {
            typ,
            alg: self.algorithm,
            kid: &self.kid,
        })
        .expect("a struct of strings always serializes");
        let mut jws = String::with_capacity(payload.len() * 4 / 3 + 1024);
        BASE64_URL_SAFE_NO_PAD.encode_string(header, &mut jws);
        jws.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(payload, &mut jws);
        let signature = self.sign(jws.as_bytes())?;
        jws.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut jws);
        Ok(jws)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The bytes of a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A signature makes a token usable, so that its bytes are not shown.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").finish_non_exhaustive()
    }
}
