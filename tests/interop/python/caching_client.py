"""Verifies backend JWTs as a service does that keeps the key set for a while, with PyJWT's client.

    python caching_client.py URL SECONDS ALGORITHM ISSUER

A line `ID JWT` on standard input is answered `ID ok`, `ID refused WHY` or `ID unfetched WHY`. The first line on
standard output is the library and its version.
"""

import sys

import jwt

# A key that is not in the kept set is not looked for elsewhere: it has to have been known before it signed.
NEVER = 1e9
# As common as the second by which clocks differ.
LEEWAY = 1


def main(url, seconds, algorithm, issuer):
    client = jwt.PyJWKClient(url, lifespan=float(seconds), cooldown_duration=NEVER, timeout=10)
    print("PyJWT", jwt.__version__, flush=True)
    for line in sys.stdin:
        number, token = line.split()
        print(number, verified(client, token, algorithm, issuer), flush=True)


def verified(client, token, algorithm, issuer):
    try:
        key = client.get_signing_key_from_jwt(token)
        jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "exp", "iat", "jti"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        return f"unfetched {error}"
    except Exception as error:
        return f"refused {type(error).__name__}: {error}"
    return "ok"


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
