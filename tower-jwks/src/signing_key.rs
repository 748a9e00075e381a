//! A private key that signs with one algorithm, prepared once.

use crate::{
    Algorithm, ConfigError, Jwk, KeysUnavailable, RsaSize, UnixTime,
    algorithm::KeyType,
    crypto::PrivateKey,
    der::{self, Certificate, certificate_error, private_key_error},
    issuer_serial::issuer_serial,
    jws::Jws,
    jws_header::Headers,
    key_certificate::KeyCertificate,
    material::PublicMaterial,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

mod kept;

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
    signatures: AtomicU64,
    headers: Headers,
}

/// Signed once when a key is read.
const TRIAL: &[u8] = b"trial";

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
        Self::generate_with_der(algorithm, size).map(|(key, _)| key)
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
        Self::from_pem_with_der(algorithm, pem.as_ref()).map(|(key, _)| key)
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
            signatures: AtomicU64::new(0),
            headers: Headers::default(),
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
        self.certificate = Some(KeyCertificate::new(der, certificate.not_after));
        Ok(self)
    }

    /// Takes the `kid` that WSO2 Choreo Connect and Choreo give a key: the base64url of the 64
    /// lower-case hex characters of the SHA-256 of its certificate's DER.
    ///
    /// # Errors
    ///
    /// The key has no certificate.
    pub fn with_certificate_kid(self) -> Result<Self, ConfigError> {
        let kid = self.certificate_for_kid()?.sha256.trim_end_matches('=');
        let kid = kid.to_owned();
        self.with_kid(kid)
    }

    /// Takes the `kid` that WSO2 API Manager 4.1 and newer give a key: the base64url of the text
    /// `<issuer>#<serial number>` of its certificate, the issuer as Java writes it:
    /// `CN=localhost, O=WSO2, C=US#1234`.
    ///
    /// Only for what asks for this form by name. Whoever reads a token, or the published set, learns
    /// who has issued the certificate; and a renewed certificate is another `kid` for the same key.
    ///
    /// ```
    /// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// # let pair = rcgen::KeyPair::generate()?;
    /// # let mut parameters = rcgen::CertificateParams::default();
    /// # parameters.distinguished_name = rcgen::DistinguishedName::new();
    /// # parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "WSO2");
    /// # parameters.distinguished_name.push(rcgen::DnType::CommonName, "gateway");
    /// # parameters.serial_number = Some(1234.into());
    /// # let pem = pair.serialize_pem() + &parameters.self_signed(&pair)?.pem();
    /// let key = SigningKey::from_pem(Algorithm::ES256, pem)?.with_issuer_serial_kid()?;
    /// let kid = BASE64_URL_SAFE_NO_PAD.decode(key.kid())?;
    /// assert_eq!(kid, b"CN=gateway, O=WSO2#1234");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The key has no certificate; its issuer's name is so long that the `kid` would have more than 256
    /// bytes, or has a text that is not in its encoding; its serial number is negative or
    /// has more than 20 bytes.
    pub fn with_issuer_serial_kid(self) -> Result<Self, ConfigError> {
        let text = issuer_serial(&self.certificate_for_kid()?.der)?;
        self.with_kid(BASE64_URL_SAFE_NO_PAD.encode(text))
    }

    fn certificate_for_kid(&self) -> Result<&KeyCertificate, ConfigError> {
        self.certificate.as_ref().ok_or_else(|| {
            ConfigError::new("kid", "cannot be made from a certificate: the key has none")
        })
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

    /// The `x5t` of its certificate as WSO2's products write it, not as RFC 7515 section 4.1.7 does: the
    /// padded base64url of the 40 lower-case hex characters of the SHA-1 of the certificate's DER.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// assert_eq!(key.wso2_x5t(), None, "there is no certificate");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wso2_x5t(&self) -> Option<&str> {
        self.certificate
            .as_ref()
            .map(|certificate| &*certificate.sha1)
    }

    /// The `x5t#S256` of its certificate as WSO2's products write it, not as RFC 7515 section 4.1.8
    /// does: the padded base64url of the 64 lower-case hex characters of the SHA-256 of its DER.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// assert_eq!(key.wso2_x5t_s256(), None, "there is no certificate");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wso2_x5t_s256(&self) -> Option<&str> {
        self.certificate
            .as_ref()
            .map(|certificate| &*certificate.sha256)
    }

    /// Signs `message`. ECDSA signatures are `r || s`, as JWS has them (RFC 7518 section 3.4).
    ///
    /// # Errors
    ///
    /// The backend fails, which a prepared key gives no cause for.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeysUnavailable> {
        let signature = self
            .private
            .sign(self.algorithm, message)
            .ok_or_else(|| KeysUnavailable::new("the cryptographic backend failed to sign"))?;
        self.signatures.fetch_add(1, Ordering::Relaxed);
        Ok(Signature(signature))
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
        self.jws(typ).sign(payload)
    }

    pub(crate) const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// How many bytes a signature has.
    pub(crate) fn signature_bytes(&self) -> usize {
        match self.jwk.material() {
            PublicMaterial::Rsa { n, .. } => n.len(),
            PublicMaterial::P384 { .. } => 96,
            PublicMaterial::P256 { .. } | PublicMaterial::Ed25519 { .. } => 64,
        }
    }

    /// A JWS whose form can be chosen, for services that read another than
    /// [`sign_jws`](Self::sign_jws) writes.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, SigningKey};
    ///
    /// let key = SigningKey::generate(Algorithm::EdDSA)?;
    /// assert_eq!(key.jws("JWT").sign(b"{}")?, key.sign_jws("JWT", b"{}")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn jws<'a>(&'a self, typ: &'a str) -> Jws<'a> {
        Jws::new(self, typ)
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
