"""What interop.py asks of a library, answered by PyJWT."""

import json

import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "PyJWT"
VERSION = jwt.__version__
ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"}


def verify(jwks, token, algorithm, issuer, audience):
    kid = jwt.get_unverified_header(token).get("kid")
    keys = [key for key in jwks["keys"] if kid is None or key.get("kid") == kid]
    if len(keys) != 1:
        raise LookupError(f"{len(keys)} keys with kid {kid}")
    decoded = jwt.decode_complete(
        token,
        jwt.PyJWK.from_dict(keys[0], algorithm),
        algorithms=[algorithm],
        issuer=issuer,
        audience=audience,
        options={"require": ["iss", "exp", "iat", "jti"]},
    )
    return decoded["header"], decoded["payload"]


def generate(algorithm):
    match algorithm:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(key):
    if isinstance(key, rsa.RSAPrivateKey):
        to_jwk = RSAAlgorithm.to_jwk
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        to_jwk = ECAlgorithm.to_jwk
    else:
        to_jwk = OKPAlgorithm.to_jwk
    return json.loads(to_jwk(key.public_key()))


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(key, header, claims):
    return jwt.encode(claims, key, algorithm=header["alg"], headers=header)


def unsecured(header, claims):
    return jwt.encode(claims, None, algorithm="none", headers={**header, "alg": "none"})


def sign_hs256(secret, header, claims):
    return jwt.encode(claims, secret, algorithm="HS256", headers={**header, "alg": "HS256"})
