//! The key that keys are sealed with where they are kept.

use crate::{
    ConfigError, KeysUnavailable, crypto, secret_file,
    store::directory::{events, exposure::exposure},
};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::{env, fmt, path::Path, sync::Arc};
use zeroize::Zeroizing;

/// Seals what a store keeps of a ring, so that whoever reads the store cannot sign: 256 bits, for
/// AES-256-GCM.
///
/// It has to be kept elsewhere than what it seals, where no other user can read it. To make one:
///
/// ```sh
/// (umask 077 && openssl rand -hex 32 > kek)
/// ```
///
/// A ring is sealed when it is made. One that is there cannot be sealed later, nor sealed with another key.
///
/// Its clones share the bytes, which are wiped from memory
/// with the last of them.
///
/// ```
/// use tower_jwks::KeyEncryptionKey;
///
/// # fn bytes() -> [u8; 32] { [7; 32] }
/// let key = KeyEncryptionKey::from_bytes(bytes());
/// assert_eq!(format!("{key:?}"), "KeyEncryptionKey { .. }");
/// ```
#[derive(Clone)]
pub struct KeyEncryptionKey(Arc<Zeroizing<[u8; KEY]>>);

const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;

/// A text of a key with room for the ends of lines.
const MAX_FILE: u64 = 128;

const FIELD: &str = "key encryption key";

impl KeyEncryptionKey {
    /// A key of these bytes, which must be random: nothing derives it from a password.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// Reads it from a file: 32 bytes as they are, or as text in hex or base64. The text may end in a
    /// line's end. That others may read the file is warned of.
    ///
    /// ```
    /// use tower_jwks::KeyEncryptionKey;
    ///
    /// let error = KeyEncryptionKey::from_file("is/not/there").unwrap_err();
    /// assert!(error.to_string().starts_with("key encryption key: "));
    /// assert!(error.to_string().ends_with("(is/not/there)"));
    /// ```
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no such key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let read = || {
            let file = secret_file::read(path, MAX_FILE)
                .map_err(|error| ConfigError::new(FIELD, error.to_string()))?;
            if let Some(how) = exposure(&file.metadata) {
                events::exposed(path, &how);
            }
            match <[u8; KEY]>::try_from(file.bytes.as_slice()).map(Zeroizing::new) {
                Ok(raw) if !raw.iter().all(u8::is_ascii_graphic) => Ok(Self(Arc::new(raw))),
                _ => Self::from_text(&file.bytes),
            }
        };
        read().map_err(|error| error.in_file(path))
    }

    /// Reads it from an environment variable, in hex or base64.
    ///
    /// ```
    /// use tower_jwks::KeyEncryptionKey;
    ///
    /// let error = KeyEncryptionKey::from_env("IS_NOT_SET").unwrap_err();
    /// assert_eq!(error.to_string(), "key encryption key: IS_NOT_SET is not set");
    /// ```
    ///
    /// # Errors
    ///
    /// It is not set, or no such key.
    pub fn from_env(name: &str) -> Result<Self, ConfigError> {
        let Some(text) = env::var_os(name) else {
            return Err(ConfigError::new(FIELD, format!("{name} is not set")));
        };
        let text = Zeroizing::new(text.into_encoded_bytes());
        Self::from_text(&text)
            .map_err(|error| ConfigError::new(FIELD, format!("{name} {}", error.message())))
    }

    fn from_text(text: &[u8]) -> Result<Self, ConfigError> {
        let text = text.trim_ascii();
        let bytes = match text.len() {
            64 => from_hex(text),
            43 | 44 => from_base64(text),
            _ => None,
        };
        bytes.map(|bytes| Self(Arc::new(bytes))).ok_or_else(|| {
            ConfigError::new(FIELD, "is no key of 32 bytes, raw or in hex or base64")
        })
    }

    /// A fresh nonce, the ciphertext and its tag. Only [`open`](Self::open) with the same `aad` reads it.
    ///
    /// Nothing is sealed if there is nothing to seal: that is what an authentication is.
    pub(crate) fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, KeysUnavailable> {
        if plaintext.is_empty() {
            return Err(KeysUnavailable::new("there is nothing to seal"));
        }
        self.encrypt(aad, plaintext)
    }

    /// What was sealed.
    pub(crate) fn open(
        &self,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeysUnavailable> {
        let opened = match sealed.split_first_chunk::<NONCE>() {
            Some((nonce, sealed)) if sealed.len() > TAG => {
                crypto::open(&self.0, *nonce, aad, sealed)
            }
            _ => None,
        };
        opened.ok_or_else(|| {
            KeysUnavailable::new("what was sealed is of another key encryption key, or was changed")
        })
    }

    /// A tag by which [`verify`](Self::verify) sees that `message` is what the holder of this key wrote:
    /// GMAC, with its nonce before it.
    pub(crate) fn authenticate(&self, message: &[u8]) -> Result<Vec<u8>, KeysUnavailable> {
        self.encrypt(message, &[])
    }

    /// Whether `tag` is of `message` and of this key.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        match tag.split_first_chunk::<NONCE>() {
            Some((nonce, tag)) if tag.len() == TAG => {
                crypto::open(&self.0, *nonce, message, tag).is_some()
            }
            _ => false,
        }
    }

    fn encrypt(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, KeysUnavailable> {
        let mut nonce = [0; NONCE];
        crypto::random(&mut nonce)
            .and_then(|()| crypto::seal(&self.0, nonce, aad, plaintext))
            .map(|sealed| [&nonce[..], &sealed].concat())
            .ok_or_else(|| KeysUnavailable::new("the cryptographic backend failed to seal"))
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyEncryptionKey").finish_non_exhaustive()
    }
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    let mut bytes = Zeroizing::new([0; KEY]);
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// In either alphabet, with padding or without.
fn from_base64(text: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let mut text = Zeroizing::new(text.to_vec());
    for byte in text.iter_mut() {
        *byte = match *byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
    }
    // The decoder wants the room of a whole last group.
    let mut decoded = Zeroizing::new([0; KEY + 1]);
    let length = LENIENT.decode_slice(&*text, &mut *decoded).ok()?;
    decoded[..length].try_into().map(Zeroizing::new).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    /// Test cases 13 to 16 of "The Galois/Counter Mode of Operation", which NIST has as an example.
    #[test]
    fn it_is_aes_256_gcm() {
        let feff = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
        let plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
        let ciphertext = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
        let zero = "000000000000000000000000";
        let cafe = "cafebabefacedbaddecaf888";
        let block = "00000000000000000000000000000000";
        for (key, nonce, aad, plaintext, ciphertext, tag) in [
            (ZERO, zero, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
            (
                ZERO,
                zero,
                "",
                block,
                "cea7403d4d606b6e074ec5d3baf39d18",
                "d0d1c8a799996bf0265b98b5d48ab919",
            ),
            (
                feff,
                cafe,
                "",
                plaintext,
                ciphertext,
                "b094dac5d93471bdec1a502270e3cc6c",
            ),
            (
                feff,
                cafe,
                "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                &plaintext[..120],
                &ciphertext[..120],
                "76fc6ece0f4e1768cddf8853bb2d551b",
            ),
        ] {
            let key: [u8; KEY] = hex(key).try_into().unwrap();
            let nonce: [u8; NONCE] = hex(nonce).try_into().unwrap();
            let (aad, plaintext) = (hex(aad), hex(plaintext));
            let expected = hex(&[ciphertext, tag].concat());
            assert_eq!(
                crypto::seal(&key, nonce, &aad, &plaintext).unwrap(),
                expected
            );
            assert_eq!(
                *crypto::open(&key, nonce, &aad, &expected).unwrap(),
                plaintext
            );
        }
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_the_same_words_only() {
        let key = KeyEncryptionKey::from_bytes([1; KEY]);
        let sealed = key.seal(b"kid", b"secret").unwrap();
        assert_ne!(
            sealed,
            key.seal(b"kid", b"secret").unwrap(),
            "each has its own nonce"
        );
        assert_eq!(key.open(b"kid", &sealed).unwrap().as_slice(), b"secret");
        assert!(key.open(b"another", &sealed).is_err());
        let other = KeyEncryptionKey::from_bytes([2; KEY]);
        assert!(other.open(b"kid", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open(b"kid", &changed).is_err(), "byte {index}");
            assert!(key.open(b"kid", &sealed[..index]).is_err(), "{index} bytes");
        }
    }

    #[test]
    fn a_message_is_known_by_its_tag() {
        let key = KeyEncryptionKey::from_bytes([1; KEY]);
        let tag = key.authenticate(b"message").unwrap();
        assert!(key.verify(b"message", &tag));
        assert!(!key.verify(b"another", &tag));
        assert!(!key.verify(b"message", &tag[1..]));
        assert!(!key.verify(b"message", &[]));
        assert!(!KeyEncryptionKey::from_bytes([2; KEY]).verify(b"message", &tag));
    }

    #[test]
    fn a_tag_is_not_taken_for_what_was_sealed_nor_the_other_way_round() {
        let key = KeyEncryptionKey::from_bytes([1; KEY]);
        let tag = key.authenticate(b"kid").unwrap();
        assert!(key.open(b"kid", &tag).is_err());
        assert!(!key.verify(b"kid", &key.seal(b"kid", b"x").unwrap()));
        assert!(key.seal(b"kid", b"").is_err());
    }

    #[test]
    fn a_key_is_read_in_each_of_its_forms() {
        let directory = crate::test_directory::TestDirectory::new("kek");
        let path = directory.path().join("kek");
        let raw: [u8; KEY] = std::array::from_fn(|index| 0xe0 ^ u8::try_from(index).unwrap());
        let lower: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = base64::prelude::BASE64_STANDARD.encode(raw);
        let url = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(raw);
        for text in [
            raw.to_vec(),
            lower.clone().into_bytes(),
            format!("{lower}\n").into_bytes(),
            lower.to_uppercase().into_bytes(),
            base64.clone().into_bytes(),
            format!("{base64}\r\n").into_bytes(),
            base64.trim_end_matches('=').to_owned().into_bytes(),
            url.into_bytes(),
        ] {
            fs::write(&path, &text).unwrap();
            let key = KeyEncryptionKey::from_file(&path).unwrap();
            assert_eq!(**key.0, raw, "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let directory = crate::test_directory::TestDirectory::new("no-kek");
        let path = directory.path().join("kek");
        for text in [
            String::new(),
            "topsecret".to_owned(),
            // 128 bits in hex are 32 bytes as well.
            "0123456789abcdef0123456789abcdef".to_owned(),
            "g".repeat(64),
            "!".repeat(44),
            "A".repeat(42),
            "A".repeat(4096),
        ] {
            fs::write(&path, &text).unwrap();
            let error = KeyEncryptionKey::from_file(&path).unwrap_err().to_string();
            assert!(error.starts_with("key encryption key: "), "{error}");
            assert!(text.is_empty() || !error.contains(&text), "{error}");
        }
    }
}
