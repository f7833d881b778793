"""Tokens that must open nothing, each with what is wrong with it in its name."""

from __future__ import annotations

import hmac
import json
import time
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from joserfc import jwe, jwk
from joserfc.jwk import OctKey

from tests.token_signer import DATA, MANAGEMENT, TENANT, Signer, base64url

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "https://issuer.example/tenant/"
BOTH = [DATA, MANAGEMENT]


class ForBothPlanes(Signer):
    """An issuer whose usual tokens are for both planes: what is wrong is wrong on both."""

    def claims(self, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """A usual token's claims."""
        return super().claims(**({"aud": BOTH} | other))


GOOD = ForBothPlanes(ISSUER)
"""the issuer that is trusted"""
OTHER = ForBothPlanes("https://other.example/")
"""another issuer that is trusted"""
STRANGER = ForBothPlanes(ISSUER)
"""nobody that is trusted, who uses the same names"""
NOW = int(time.time())


def hs256(secret: bytes, header: dict[str, Any]) -> str:
    """Signed with a secret that everybody knows: the published key."""
    first, second = (json.dumps(part).encode() for part in (header, GOOD.claims()))
    text = f"{base64url(first)}.{base64url(second)}"
    return f"{text}.{base64url(hmac.digest(secret, text.encode(), sha256))}"


def unsigned(algorithm: Any, signature: str = "") -> str:  # noqa: ANN401 - whatever is claimed
    """A usual token with no signature, or one that is none."""
    header = base64url(json.dumps(GOOD.header(alg=algorithm)).encode())
    return f"{header}.{base64url(json.dumps(GOOD.claims()).encode())}.{signature}"


def with_header(**members: Any) -> str:  # noqa: ANN401 - any JSON
    """Properly signed, with these members in the header."""
    return GOOD.sign(GOOD.header(**members), GOOD.claims())


def raw_claims(replace: str, by: str, **claims: Any) -> str:  # noqa: ANN401 - as above
    """Properly signed, with a text in the claims' JSON replaced."""
    text = json.dumps(GOOD.claims(**claims))
    assert replace in text
    return GOOD.sign(GOOD.header(), text.replace(replace, by, 1).encode())


def parts() -> list[str]:
    """A good token's three parts."""
    return GOOD.token().split(".")


def with_part(index: int, change: Callable[[str], str]) -> str:
    """A good token with one of its parts changed."""
    changed = parts()
    changed[index] = change(changed[index])
    return ".".join(changed)


def flipped(part: str) -> str:
    """One character in the middle is another."""
    middle = len(part) // 2
    return part[:middle] + ("A" if part[middle] != "A" else "B") + part[middle + 1 :]


def spare_bits(part: str) -> str:
    """The same bytes, spelled as no encoder spells them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


def encrypted() -> str:
    """A good token inside an encrypted one, for a key that everybody has."""
    key = OctKey.import_key(b"0123456789abcdef0123456789abcdef")
    protected: Any = {"alg": "dir", "enc": "A256GCM", "cty": "JWT", "kid": GOOD.kid}
    return jwe.encrypt_compact(protected, GOOD.token(), key)


def compressed() -> str:
    """The claims deflated, as JWE may have them."""
    squeezed = zlib.compress(json.dumps(GOOD.claims()).encode())[2:-4]
    return GOOD.sign(GOOD.header(zip="DEF"), squeezed)


def embedded_key() -> str:
    """Signed by a stranger who brings the key along."""
    return STRANGER.sign(STRANGER.header(jwk=STRANGER.public), STRANGER.claims())


def stranger_with(**members: Any) -> str:  # noqa: ANN401 - any JSON
    """Signed by a stranger who says where the key is."""
    return STRANGER.sign(STRANGER.header(**members), STRANGER.claims())


def split_claims() -> str:
    """The good token's signature under claims that say more."""
    first, _, third = parts()
    return f"{first}.{base64url(json.dumps(GOOD.claims(oid=TENANT)).encode())}.{third}"


PEM = jwk.RSAKey.import_key(GOOD.key.as_dict(private=False)).as_pem(private=False)
DER = jwk.RSAKey.import_key(GOOD.key.as_dict(private=False)).as_der(private=False)

FORGED: dict[str, Callable[[], str]] = {
    # the algorithm
    "HS256 with the public key's PEM": lambda: hs256(PEM, GOOD.header(alg="HS256")),
    "HS256 with the PEM, its last newline gone": lambda: hs256(
        PEM.strip(), GOOD.header(alg="HS256")
    ),
    "HS256 with the public key's DER": lambda: hs256(DER, GOOD.header(alg="HS256")),
    "HS256 with the public JWK": lambda: hs256(
        json.dumps(GOOD.public).encode(), GOOD.header(alg="HS256")
    ),
    "HS256 with the modulus": lambda: hs256(GOOD.public["n"].encode(), GOOD.header(alg="HS256")),
    "HS256 with nothing": lambda: hs256(b"", GOOD.header(alg="HS256")),
    "HS256 that calls itself RS256": lambda: hs256(PEM, GOOD.header()),
    "HS384": lambda: hs256(PEM, GOOD.header(alg="HS384")),
    "HS512": lambda: hs256(PEM, GOOD.header(alg="HS512")),
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "alg nOnE": lambda: unsigned("nOnE"),
    "alg none with a signature": lambda: unsigned("none", parts()[2]),
    "alg none and a space": lambda: unsigned("none ", "AAAA"),
    "alg empty": lambda: unsigned("", "AAAA"),
    "alg null": lambda: unsigned(None, "AAAA"),
    "alg a list": lambda: unsigned(["RS256"], parts()[2]),
    "alg a number": lambda: unsigned(256, "AAAA"),
    "alg in lower case": lambda: with_header(alg="rs256"),
    "alg that the issuer does not use": lambda: with_header(alg="PS256"),
    "alg of another kind of key": lambda: with_header(alg="ES256"),
    "alg nobody knows": lambda: with_header(alg="RS1"),
    "no alg": lambda: GOOD.sign(GOOD.header(alg=None), GOOD.claims()),
    "no signature": lambda: unsigned("RS256"),
    "signature of zeros": lambda: unsigned("RS256", base64url(bytes(256))),
    # which key
    "kid that is a path": lambda: with_header(kid="../../../../dev/null"),
    "kid that is a file": lambda: with_header(kid="/etc/passwd"),
    "kid that is a URL": lambda: with_header(kid="https://evil.example/key.json"),
    "kid that is SQL": lambda: with_header(kid="first' UNION SELECT 'key' --"),
    "kid that is a command": lambda: with_header(kid="first|/usr/bin/id"),
    "kid with a NUL": lambda: with_header(kid="first\0"),
    "kid of another issuer": lambda: GOOD.sign(GOOD.header(kid="of-other"), GOOD.claims()),
    "kid in another case": lambda: with_header(kid="FIRST"),
    "kid empty": lambda: with_header(kid=""),
    "kid absent": lambda: GOOD.sign(GOOD.header(kid=None), GOOD.claims()),
    "kid a number": lambda: with_header(kid=1),
    "kid a list": lambda: with_header(kid=["first"]),
    "kid very long": lambda: with_header(kid="first" * 400),
    "key of another issuer": lambda: OTHER.sign(OTHER.header(), GOOD.claims()),
    "key of another issuer under this one's kid": lambda: OTHER.sign(GOOD.header(), GOOD.claims()),
    "key of a stranger": STRANGER.token,
    "key in the header": embedded_key,
    "the good key in the header": lambda: with_header(jwk=GOOD.public),
    "jku": lambda: stranger_with(jku="https://evil.example/keys"),
    "jku of the issuer": lambda: with_header(jku=f"{ISSUER}keys"),
    "x5u": lambda: stranger_with(x5u="https://evil.example/cert.pem"),
    "x5c": lambda: stranger_with(x5c=["MIIB"]),
    "crit": lambda: with_header(crit=["exp"]),
    "crit with b64": lambda: with_header(crit=["b64"], b64=False),
    "crit empty": lambda: with_header(crit=[]),
    # for whom
    "audience of another service": lambda: GOOD.token(aud="https://graph.microsoft.com"),
    "audience that begins right": lambda: GOOD.token(aud=f"{DATA}.evil.example"),
    "audience that ends right": lambda: GOOD.token(aud=f"https://evil.example/{DATA}"),
    "audience with two slashes": lambda: GOOD.token(aud=f"{DATA}//"),
    "audience in another case": lambda: GOOD.token(aud=DATA.upper()),
    "audience with spaces": lambda: GOOD.token(aud=f" {DATA}"),
    "audience that is a part": lambda: GOOD.token(aud="cognitiveservices.azure.com"),
    "audience empty": lambda: GOOD.token(aud=""),
    "audience of all": lambda: GOOD.token(aud="*"),
    "audience absent": lambda: GOOD.token(aud=None),
    "audience a number": lambda: GOOD.token(aud=1),
    "audience an object": lambda: GOOD.token(aud={DATA: True}),
    "audience an empty list": lambda: GOOD.token(aud=[]),
    "audience a list without it": lambda: GOOD.token(aud=["a", "b"]),
    "audience a list of lists": lambda: GOOD.token(aud=[[DATA]]),
    "audience a list with a number": lambda: GOOD.token(aud=[DATA, 1]),
    "audience both joined": lambda: GOOD.token(aud=f"{DATA} {MANAGEMENT}"),
    # by whom
    "issuer without its slash": lambda: GOOD.token(iss=ISSUER.rstrip("/")),
    "issuer with one more": lambda: GOOD.token(iss=f"{ISSUER}/"),
    "issuer by http": lambda: GOOD.token(iss=ISSUER.replace("https", "http")),
    "issuer in upper case": lambda: GOOD.token(iss=ISSUER.upper()),
    "issuer with another host's end": lambda: GOOD.token(
        iss="https://issuer.example.evil.example/tenant/"
    ),
    "issuer with user information": lambda: GOOD.token(iss="https://issuer.example@evil.example/"),
    "issuer with a letter that looks like it": lambda: GOOD.token(
        iss=ISSUER.replace("e", "\N{CYRILLIC SMALL LETTER IE}", 1)
    ),
    "issuer of another": lambda: GOOD.token(iss=OTHER.issuer),
    "issuer a list": lambda: GOOD.token(iss=[ISSUER]),
    "issuer absent": lambda: GOOD.token(iss=None),
    "issuer half a surrogate pair": lambda: raw_claims('"ver"', r'"x":"\ud800","ver"'),
    # when
    "expired": lambda: GOOD.token(exp=NOW - 3600),
    "expired before it began": lambda: GOOD.token(exp=NOW - 100, nbf=NOW - 50, iat=NOW - 50),
    "not yet valid": lambda: GOOD.token(nbf=NOW + 3600),
    "issued in the future": lambda: GOOD.token(iat=NOW + 3600),
    "exp absent": lambda: GOOD.token(exp=None),
    "exp null": lambda: raw_claims(f'"exp": {NOW + 9999}', '"exp": null', exp=NOW + 9999),
    "exp a text": lambda: GOOD.token(exp=str(NOW + 3600)),
    "exp huge": lambda: raw_claims('"exp": 7', f'"exp": {"9" * 400}', exp=7),
    "exp huge by exponent": lambda: raw_claims('"exp": 7', '"exp": 1e999', exp=7),
    "exp of milliseconds": lambda: GOOD.token(exp=(NOW + 3600) * 1000),
    "exp negative": lambda: GOOD.token(exp=-1),
    "exp zero": lambda: GOOD.token(exp=0),
    "exp true": lambda: GOOD.token(exp=True),
    "exp a list": lambda: GOOD.token(exp=[NOW + 3600]),
    "exp NaN": lambda: GOOD.token(exp=float("nan")),
    "exp Infinity": lambda: GOOD.token(exp=float("inf")),
    "nbf a text": lambda: GOOD.token(nbf="0"),
    "nbf NaN": lambda: GOOD.token(nbf=float("nan")),
    "iat an object": lambda: GOOD.token(iat={}),
    # whose
    "another tenant": lambda: GOOD.token(tid="22222222-2222-4333-8444-555555555555"),
    "no tenant": lambda: GOOD.token(tid=None),
    "tenant a list": lambda: GOOD.token(tid=[TENANT]),
    "nobody": lambda: GOOD.token(oid=None, sub=None),
    "somebody who is a number": lambda: GOOD.token(oid=1, sub=2),
    "bound to a key that is not shown": lambda: GOOD.token(cnf={"jkt": "abc"}),
    # its form
    "a claim twice": lambda: raw_claims('"ver"', '"oid": "other", "ver"'),
    "exp twice": lambda: raw_claims('"ver"', f'"exp": {NOW + 99999}, "ver"'),
    "alg twice": lambda: GOOD.sign(
        b'{"alg":"none","alg":"RS256","kid":"first","typ":"JWT"}', GOOD.claims()
    ),
    "claims that are a list": lambda: GOOD.sign(GOOD.header(), b"[]"),
    "claims that are a text": lambda: GOOD.sign(GOOD.header(), b'"claims"'),
    "claims that are nothing": lambda: GOOD.sign(GOOD.header(), b"{}"),
    "claims that are no JSON": lambda: GOOD.sign(GOOD.header(), b"{"),
    "claims with something after them": lambda: GOOD.sign(
        GOOD.header(), json.dumps(GOOD.claims()).encode() + b"{}"
    ),
    "claims in UTF-16": lambda: GOOD.sign(
        GOOD.header(), json.dumps(GOOD.claims()).encode("utf-16")
    ),
    "claims with a byte-order mark": lambda: GOOD.sign(
        GOOD.header(), b"\xef\xbb\xbf" + json.dumps(GOOD.claims()).encode()
    ),
    "claims that are no UTF-8": lambda: GOOD.sign(GOOD.header(), b'{"iss":"\xff"}'),
    "claims nested deeply": lambda: GOOD.sign(GOOD.header(), b'{"a":' * 1500 + b"1" + b"}" * 1500),
    "claims of another token": split_claims,
    "header that is a list": lambda: GOOD.sign(b"[]", GOOD.claims()),
    "typ of a logout token": lambda: with_header(typ="logout+jwt"),
    "typ of a proof of possession": lambda: with_header(typ="dpop+jwt"),
    "nested in another": lambda: GOOD.sign(GOOD.header(cty="JWT"), GOOD.token().encode()),
    "encrypted": encrypted,
    "compressed": compressed,
    "signature changed": lambda: with_part(2, flipped),
    "header changed": lambda: with_part(0, flipped),
    "signature cut": lambda: with_part(2, lambda part: part[:-4]),
    "signature longer": lambda: with_part(2, lambda part: part + "AAAA"),
    "signature with spare bits": lambda: with_part(2, spare_bits),
    "signature with padding": lambda: with_part(2, lambda part: part + "=="),
    "signature in the other base64": lambda: with_part(
        2, lambda part: part.replace("-", "+").replace("_", "/") + "+"
    ),
    "four parts": lambda: GOOD.token() + ".AAAA",
    "two parts": lambda: ".".join(parts()[:2]),
    "a dot at its end": lambda: GOOD.token() + ".",
    "a byte at its end": lambda: GOOD.token() + "%00",
    "a comma and another": lambda: f"{GOOD.token()},{GOOD.token()}",
    "a space within": lambda: with_part(1, lambda part: part[:8] + " " + part[8:]),
    "not ASCII": lambda: with_part(1, lambda part: part[:8] + "é" + part[9:]),
    "only dots": lambda: "..",
    "oversized": lambda: GOOD.token(padding="x" * 20_000),
}
"""a name → what makes it"""
