"""Checks backend JWTs with Python libraries, and makes access tokens with them.

    python interop.py verify FILE            every case of FILE with every library
    python interop.py sign DIRECTORY         writes DIRECTORY/<library>.json

A file holds {"signer", "cases"}; a case is a token, the JWKS it is to be verified with, what has to
be in it, and whether it is to be accepted. interop.mjs and interop.rs read and write the same.
"""

import base64
import json
import sys
import time
import uuid
from pathlib import Path

import with_joserfc
import with_pyjwt

LIBRARIES = [with_pyjwt, with_joserfc]
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]
ISSUER = "https://idp.example.com"
AUDIENCE = "orders"


def main(arguments):
    match arguments:
        case ["verify", file]:
            failures = verify_file(json.loads(Path(file).read_text()))
            sys.exit(1 if failures else 0)
        case ["sign", directory]:
            for library in LIBRARIES:
                write_cases(library, Path(directory))
        case _:
            sys.exit(__doc__)


def verify_file(document):
    failures = 0
    for library in LIBRARIES:
        for case in document["cases"]:
            if case["algorithm"] not in library.ALGORITHMS:
                result = "skipped, unknown to this library"
            else:
                try:
                    result = verify_case(library, case)
                except AssertionError as error:
                    failures += 1
                    result = f"FAILED: {error}"
            label = f"{library.NAME} {library.VERSION}"
            print(f"  {document['signer']:<20} -> {label:<20} {case['algorithm']:<8} {case['name']:<32} {result}")
    return failures


def verify_case(library, case):
    header, claims, refusal = attempt(library, case, case["token"])
    if not case["accepted"]:
        assert refusal, "accepted, where it is to be refused"
        return f"refused ({refusal})"
    assert not refusal, f"refused: {refusal}"
    for name, value in case["header"].items():
        assert header.get(name) == value, f"header {name} is {header.get(name)!r}, not {value!r}"
    for name, value in case["claims"].items():
        assert claims.get(name) == value, f"claim {name} is {claims.get(name)!r}, not {value!r}"
    assert isinstance(claims["jti"], str) and claims["jti"], "jti is empty"
    assert claims["iat"] <= time.time() + 60 < claims["exp"] + 60, "iat or exp is off"
    for what, token in tampered(case["token"]).items():
        _, _, refusal = attempt(library, case, token)
        assert refusal, f"accepted with {what}"
    return "accepted, refused when tampered with"


def attempt(library, case, token):
    """Header, claims and None, or else why the library refused: each has errors of its own."""
    try:
        header, claims = library.verify(
            case["jwks"], token, case["algorithm"], case["issuer"], case.get("audience")
        )
    except Exception as error:
        return None, None, type(error).__name__
    return header, claims, None


def tampered(token):
    header, payload, signature = token.split(".")
    claims = {**json.loads(decode(payload)), "sub": "mallory"}
    first, *rest = decode(signature)
    return {
        "another sub": ".".join([header, encode(json.dumps(claims).encode()), signature]),
        "one bit of the signature turned": ".".join([header, payload, encode(bytes([first ^ 1, *rest]))]),
        "no signature": ".".join([header, payload, ""]),
    }


def write_cases(library, directory):
    cases = []
    for algorithm in ALGORITHMS:
        if algorithm in library.ALGORITHMS:
            cases += cases_of(library, algorithm)
    signer = f"{library.NAME} {library.VERSION}"
    path = directory / f"{library.NAME}.json"
    path.write_text(json.dumps({"signer": signer, "cases": cases}, indent=1))
    print(f"  {signer:<20} signed {len(cases)} access tokens")


def cases_of(library, algorithm):
    key, other = library.generate(algorithm), library.generate(algorithm)
    kid = str(uuid.uuid4())
    bare = library.public_jwk(key)
    jwk = {**bare, "kid": kid, "alg": algorithm, "use": "sig"}
    header = {"alg": algorithm, "typ": "JWT", "kid": kid}
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "jti": str(uuid.uuid4()),
        "client_id": "shop",
        "scope": "orders:read orders:write",
        "org": {"name": "Ünïon", "units": [1, 2.5, None, True]},
    }
    without_kid = {name: value for name, value in header.items() if name != "kid"}

    def case(name, token, accepted, keys=jwk, claims=claims):
        return {
            "name": name,
            "algorithm": algorithm,
            "issuer": ISSUER,
            "audience": AUDIENCE,
            "jwks": {"keys": [keys]},
            "token": token,
            "accepted": accepted,
            "header": {"alg": algorithm},
            "claims": claims,
        }

    def signed(changed, header=header, key=key):
        return library.sign(key, header, {**claims, **changed})

    listed = {"aud": ["others", AUDIENCE]}
    cases = [
        case("plain", signed({}), True),
        case("list of audiences", signed(listed), True, claims={**claims, **listed}),
        case("typ at+jwt", signed({}, {**header, "typ": "at+jwt"}), True),
        case("no kid in the token", signed({}, without_kid), True),
        case("no alg in the key", signed({}), True, keys={**bare, "kid": kid}),
        case("signed with another key", signed({}, key=other), False),
        case("expired", signed({"iat": now - 7200, "nbf": now - 7200, "exp": now - 3600}), False),
        case("not valid yet", signed({"nbf": now + 1800}), False),
        case("for another audience", signed({"aud": "invoices"}), False),
        case("from another issuer", signed({"iss": "https://other.example.com"}), False),
        case("alg none", library.unsecured(header, claims), False),
    ]
    confused = signed_with_public_key(library, key, header, claims)
    if confused:
        cases.append(case("HS256 with the public key", confused, False))
    return cases


def signed_with_public_key(library, key, header, claims):
    """None from a library that does not let a public key be an HMAC secret."""
    try:
        return library.sign_hs256(library.public_pem(key), header, claims)
    except Exception:
        return None


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    main(sys.argv[1:])
