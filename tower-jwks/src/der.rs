//! Keys and certificates in DER and PEM, read into numbers and prepared forms.

use crate::{ConfigError, UnixTime, algorithm::KeyType, material::PublicMaterial};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer,
    pem::{self, PemObject},
};
use x509_cert::{
    Certificate as X509,
    der::{
        Decode, Reader, SliceReader, Tag,
        asn1::{ObjectIdentifier, UintRef},
    },
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef},
};
use zeroize::Zeroizing;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const UNKNOWN_KEY: &str = "not an RSA, P-256, P-384 or Ed25519 key";

/// The private key in a PEM text, and the certificate in the same text if there is one.
pub(crate) fn private_key_pem(
    text: &[u8],
) -> Result<
    (
        Zeroizing<PrivateKeyDer<'static>>,
        Option<CertificateDer<'static>>,
    ),
    ConfigError,
> {
    // PKCS#8 says so in its label, the older forms in a header (RFC 1421).
    let encrypted =
        || contains(text, b"ENCRYPTED PRIVATE KEY") || contains(text, b"Proc-Type: 4,ENCRYPTED");
    let mut keys = PrivateKeyDer::pem_slice_iter(text).map(|key| key.map(Zeroizing::new));
    let key = match keys.next() {
        Some(Ok(key)) => key,
        _ if encrypted() => {
            return Err(private_key_error(
                "is encrypted; decrypt it first (openssl pkey)",
            ));
        }
        Some(Err(_)) => return Err(private_key_error("is not valid PEM")),
        None => return Err(private_key_error("there is no private key in the PEM")),
    };
    if keys.next().is_some() {
        return Err(private_key_error("there is more than one in the PEM"));
    }
    let certificate = match CertificateDer::from_pem_slice(text) {
        Ok(certificate) => Some(certificate),
        Err(pem::Error::NoItemsFound) => None,
        Err(_) => return Err(certificate_error("is not valid PEM")),
    };
    Ok((key, certificate))
}

/// The certificate in a PEM text, the first if there is a chain.
pub(crate) fn certificate_pem(text: &[u8]) -> Result<CertificateDer<'static>, ConfigError> {
    CertificateDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => certificate_error("there is no certificate in the PEM"),
        _ => certificate_error("is not valid PEM"),
    })
}

/// The public key in a PEM text: SPKI, PKCS#1 or that of a certificate.
pub(crate) fn public_key_pem(text: &[u8]) -> Result<PublicMaterial, ConfigError> {
    // The PEM reader knows no label for PKCS#1; the content of the two differs enough to tell
    // them apart without it.
    let labelled = String::from_utf8_lossy(text)
        .replace("BEGIN RSA PUBLIC KEY-----", "BEGIN PUBLIC KEY-----")
        .replace("END RSA PUBLIC KEY-----", "END PUBLIC KEY-----");
    match SubjectPublicKeyInfoDer::from_pem_slice(labelled.as_bytes()) {
        Ok(der) => public_key_der(&der),
        Err(pem::Error::NoItemsFound) if contains(text, b"BEGIN CERTIFICATE") => {
            Ok(Certificate::parse(&certificate_pem(text)?)?.public)
        }
        Err(pem::Error::NoItemsFound) => Err(ConfigError::new(
            "public key",
            "there is no public key and no certificate in the PEM",
        )),
        Err(_) => Err(ConfigError::new("public key", "is not valid PEM")),
    }
}

/// A public key in DER: SPKI, PKCS#1 or that of a certificate.
pub(crate) fn public_key_der(der: &[u8]) -> Result<PublicMaterial, ConfigError> {
    let material = if let Ok(spki) = SubjectPublicKeyInfoRef::from_der(der) {
        public_key_spki(&spki.algorithm, spki.subject_public_key.raw_bytes())
    } else if let Ok(certificate) = Certificate::parse(der) {
        return Ok(certificate.public);
    } else {
        public_key_pkcs1(der)
    };
    material.map_err(|message| ConfigError::new("public key", message))
}

fn public_key_spki(
    algorithm: &AlgorithmIdentifierRef<'_>,
    key: &[u8],
) -> Result<PublicMaterial, &'static str> {
    match key_type(algorithm)? {
        KeyType::Rsa => public_key_pkcs1(key),
        KeyType::Ed25519 => PublicMaterial::ed25519(key),
        curve @ (KeyType::P256 | KeyType::P384) => public_point(curve, key),
    }
}

/// A point in the uncompressed form of SEC1 section 2.3.3.
pub(crate) fn public_point(curve: KeyType, point: &[u8]) -> Result<PublicMaterial, &'static str> {
    match point.split_first() {
        Some((4, coordinates)) if coordinates.len() % 2 == 0 => {
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            PublicMaterial::ec(curve, x, y)
        }
        _ => Err("an EC point that is not in the uncompressed form"),
    }
}

/// An RSA public key of RFC 8017 appendix A.1.1.
pub(crate) fn public_key_pkcs1(der: &[u8]) -> Result<PublicMaterial, &'static str> {
    let read = || -> Result<(&[u8], &[u8]), x509_cert::der::Error> {
        let mut reader = SliceReader::new(der)?;
        let numbers = reader.sequence(|sequence| {
            let n = UintRef::decode(sequence)?;
            let e = UintRef::decode(sequence)?;
            Ok::<_, x509_cert::der::Error>((n.as_bytes(), e.as_bytes()))
        })?;
        reader.finish()?;
        Ok(numbers)
    };
    let (n, e) = read().map_err(|_| UNKNOWN_KEY)?;
    PublicMaterial::rsa(n, e)
}

/// The kind of key that an algorithm identifier announces.
fn key_type(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<KeyType, &'static str> {
    match algorithm.oid {
        RSA => Ok(KeyType::Rsa),
        ED25519 => Ok(KeyType::Ed25519),
        EC => match algorithm.parameters_oid() {
            Ok(P256) => Ok(KeyType::P256),
            Ok(P384) => Ok(KeyType::P384),
            _ => Err("an EC key on a curve that is not P-256 or P-384"),
        },
        _ => Err(UNKNOWN_KEY),
    }
}

/// What a key signs with, if nothing else is said.
#[cfg(feature = "rotation")]
pub(crate) fn usual_algorithm(der: &[u8]) -> Result<crate::Algorithm, ConfigError> {
    let key = PrivateKeyDer::try_from(der).map_err(private_key_error)?;
    private_key_type(&key).map(KeyType::usual_algorithm)
}

/// The kind of a private key, told from its encoding before a backend parses it, so that a wrong
/// one, or one too weak, gets an error that says what it is.
pub(crate) fn private_key_type(key: &PrivateKeyDer<'_>) -> Result<KeyType, ConfigError> {
    let kind = match key {
        PrivateKeyDer::Pkcs1(key) => rsa_private_key(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => {
            let key = Sec1::parse(key.secret_sec1_der());
            key.and_then(|key| key.curve.ok_or("a SEC1 key that does not name its curve"))
        }
        PrivateKeyDer::Pkcs8(key) => pkcs8(key.secret_pkcs8_der())
            .map_err(|_| "not valid PKCS#8")
            .and_then(|(algorithm, key)| match key_type(&algorithm)? {
                KeyType::Rsa => rsa_private_key(key),
                other => Ok(other),
            }),
        _ => Err(UNKNOWN_KEY),
    };
    kind.map_err(private_key_error)
}

/// What a key of RFC 5208 or RFC 5958 is for, and the key in its own encoding.
fn pkcs8(der: &[u8]) -> Result<(AlgorithmIdentifierRef<'_>, &[u8]), x509_cert::der::Error> {
    let mut reader = SliceReader::new(der)?;
    let key = reader.sequence(|sequence| {
        let _version = u8::decode(sequence)?;
        let algorithm = AlgorithmIdentifierRef::decode(sequence)?;
        let key = octets(sequence, Tag::OctetString)?;
        while !sequence.is_finished() {
            sequence.tlv_bytes()?;
        }
        Ok::<_, x509_cert::der::Error>((algorithm, key))
    })?;
    reader.finish()?;
    Ok(key)
}

/// An RSA private key of RFC 8017 appendix A.1.2, by its public numbers.
fn rsa_private_key(der: &[u8]) -> Result<KeyType, &'static str> {
    let read = || -> Result<(&[u8], &[u8]), x509_cert::der::Error> {
        let mut reader = SliceReader::new(der)?;
        let numbers = reader.sequence(|sequence| {
            let _version = u8::decode(sequence)?;
            let n = UintRef::decode(sequence)?;
            let e = UintRef::decode(sequence)?;
            while !sequence.is_finished() {
                sequence.tlv_bytes()?;
            }
            Ok::<_, x509_cert::der::Error>((n.as_bytes(), e.as_bytes()))
        })?;
        reader.finish()?;
        Ok(numbers)
    };
    let (n, e) = read().map_err(|_| "not a valid RSA key")?;
    PublicMaterial::rsa(n, e).map(|public| public.key_type())
}

/// An EC private key of RFC 5915.
pub(crate) struct Sec1<'a> {
    #[cfg_attr(feature = "aws-lc-rs", allow(dead_code))]
    pub(crate) secret: &'a [u8],
    #[cfg_attr(feature = "aws-lc-rs", allow(dead_code))]
    pub(crate) point: Option<&'a [u8]>,
    curve: Option<KeyType>,
}

impl<'a> Sec1<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, &'static str> {
        Self::read(der).map_err(|_| "not a valid SEC1 key")
    }

    fn read(der: &'a [u8]) -> Result<Self, x509_cert::der::Error> {
        let mut reader = SliceReader::new(der)?;
        let key = reader.sequence(|sequence| {
            let _version = u8::decode(sequence)?;
            let secret = octets(sequence, Tag::OctetString)?;
            let (mut curve, mut point) = (None, None);
            while !sequence.is_finished() {
                let tag = Tag::peek(sequence)?;
                let content = content(sequence.tlv_bytes()?)?;
                match tag.number().value() {
                    0 => {
                        curve = match ObjectIdentifier::from_der(content)? {
                            P256 => Some(KeyType::P256),
                            P384 => Some(KeyType::P384),
                            _ => None,
                        };
                    }
                    // A bit string starts with the count of its unused bits.
                    _ => point = octets(&mut SliceReader::new(content)?, Tag::BitString)?.get(1..),
                }
            }
            Ok::<_, x509_cert::der::Error>(Self {
                secret,
                point,
                curve,
            })
        })?;
        reader.finish()?;
        Ok(key)
    }
}

/// The content of the next value, which must have this tag.
pub(crate) fn octets<'a>(
    reader: &mut SliceReader<'a>,
    tag: Tag,
) -> Result<&'a [u8], x509_cert::der::Error> {
    Tag::peek(reader)?.assert_eq(tag)?;
    content(reader.tlv_bytes()?)
}

/// The content of a whole value.
pub(crate) fn content(tlv: &[u8]) -> Result<&[u8], x509_cert::der::Error> {
    let mut reader = SliceReader::new(tlv)?;
    let header = x509_cert::der::Header::decode(&mut reader)?;
    reader.read_slice(header.length())
}

/// What a certificate says about a key.
pub(crate) struct Certificate {
    pub(crate) public: PublicMaterial,
    #[cfg_attr(
        not(feature = "rotation"),
        expect(dead_code, reason = "for keys that are followed")
    )]
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, ConfigError> {
        let certificate = X509::from_der(der)
            .map_err(|_| certificate_error("is not a valid X.509 certificate"))?;
        let tbs = certificate.tbs_certificate();
        let spki = tbs.subject_public_key_info();
        let public = public_key_spki(
            &(&spki.algorithm).into(),
            spki.subject_public_key.raw_bytes(),
        )
        .map_err(certificate_error)?;
        let validity = tbs.validity();
        Ok(Self {
            public,
            not_before: UnixTime::from_secs(validity.not_before.to_unix_duration().as_secs()),
            not_after: UnixTime::from_secs(validity.not_after.to_unix_duration().as_secs()),
        })
    }
}

pub(crate) fn private_key_error(message: &'static str) -> ConfigError {
    ConfigError::new("private key", message)
}

pub(crate) fn certificate_error(message: &'static str) -> ConfigError {
    ConfigError::new("certificate", message)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
