"""What interop.py asks of a library, answered by joserfc."""

import warnings
from importlib.metadata import version

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

NAME = "joserfc"
VERSION = version("joserfc")
ALGORITHMS = {
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519",
}

# The deprecated name EdDSA is what most verifiers know, and is tested on purpose.
warnings.simplefilter("ignore", SecurityWarning)


def verify(jwks, token, algorithm, issuer, audience):
    decoded = jwt.decode(token, KeySet.import_key_set(jwks), algorithms=[algorithm])
    expected = {name: {"essential": True} for name in ("exp", "iat", "jti")}
    expected["iss"] = {"essential": True, "value": issuer}
    if audience:
        expected["aud"] = {"essential": True, "value": audience}
    elif "aud" in decoded.claims:
        raise ValueError("an aud claim that nobody asked for")
    jwt.JWTClaimsRegistry(**expected).validate(decoded.claims)
    return decoded.header, decoded.claims


def generate(algorithm):
    match algorithm:
        case "ES256":
            return ECKey.generate_key("P-256")
        case "ES384":
            return ECKey.generate_key("P-384")
        case "EdDSA" | "Ed25519":
            return OKPKey.generate_key("Ed25519")
        case _:
            return RSAKey.generate_key(2048)


def public_jwk(key):
    return key.as_dict(private=False)


def public_pem(key):
    return key.as_pem(private=False)


def sign(key, header, claims):
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])


def unsecured(header, claims):
    return jwt.encode({**header, "alg": "none"}, claims, OctKey.generate_key(), algorithms=["none"])


def sign_hs256(secret, header, claims):
    return jwt.encode({**header, "alg": "HS256"}, claims, OctKey.import_key(secret), algorithms=["HS256"])
