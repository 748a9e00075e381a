"""Checks backend JWTs with Python libraries, and makes access tokens with them.

    python interop.py verify FILE               every case of FILE with every library
    python interop.py sign RECIPES DIRECTORY    writes DIRECTORY/<library>.json, as RECIPES says

FILE and RECIPES are described in ../README.md.
"""

import base64
import json
import sys
import time
from pathlib import Path

import with_joserfc
import with_pyjwt

LIBRARIES = [with_pyjwt, with_joserfc]
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]


def main(arguments):
    match arguments:
        case ["verify", file]:
            failures = verify_file(json.loads(Path(file).read_text()))
            sys.exit(1 if failures else 0)
        case ["sign", file, directory]:
            recipes = json.loads(Path(file).read_text())
            for library in LIBRARIES:
                write_cases(library, recipes, Path(directory))
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
    if not case["accepted"] or library.NAME in case.get("refused_by", []):
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


def write_cases(library, recipes, directory):
    cases = []
    for algorithm in ALGORITHMS:
        if algorithm in library.ALGORITHMS:
            cases += cases_of(library, algorithm, recipes)
    signer = f"{library.NAME} {library.VERSION}"
    path = directory / f"{library.NAME}.json"
    path.write_text(json.dumps({"signer": signer, "cases": cases}, indent=1))
    print(f"  {signer:<20} signed {len(cases)} access tokens")


def cases_of(library, algorithm, recipes):
    key, other = library.generate(algorithm), library.generate(algorithm)
    common = {"alg": algorithm, "kid": recipes["header"]["kid"]}
    public = {**library.public_jwk(key), **common, "use": "sig"}
    now = int(time.time())
    cases = []
    for recipe in recipes["cases"]:
        header = changed({**recipes["header"], **common}, recipe.get("header", {}))
        times = {**recipes["times"], **recipe.get("times", {})}
        claims = {
            **recipes["claims"],
            **{name: now + offset for name, offset in times.items()},
            **recipe.get("claims", {}),
        }
        token = signed(library, recipe.get("key"), key, other, header, claims)
        if token:
            cases.append({
                "name": recipe["name"],
                "algorithm": algorithm,
                "issuer": recipes["issuer"],
                "audience": recipes["audience"],
                "jwks": {"keys": [changed(public, recipe.get("jwk", {}))]},
                "token": token,
                "accepted": recipe["accepted"],
                "header": header,
                "claims": claims,
            })
    return cases


def signed(library, which, key, other, header, claims):
    match which:
        case "another":
            return library.sign(other, header, claims)
        case "none":
            return library.unsecured(header, claims)
        case "public":
            return signed_with_public_key(library, key, header, claims)
        case _:
            return library.sign(key, header, claims)


def signed_with_public_key(library, key, header, claims):
    """None from a library that does not let a public key be an HMAC secret."""
    try:
        return library.sign_hs256(library.public_pem(key), header, claims)
    except Exception:
        return None


def changed(members, changes):
    """With null a member is left out."""
    merged = {**members, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    main(sys.argv[1:])
