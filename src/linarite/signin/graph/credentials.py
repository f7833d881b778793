"""Secrets and certificates of applications and service principals."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from linarite.signin.directory.records import Application, Certificate, Secret, ServicePrincipal
from linarite.signin.directory.secrets import new_secret, secret_digest
from linarite.signin.directory.writing import new_id
from linarite.signin.graph.collections import admitted, record_named
from linarite.signin.graph.refusals import bad, no_such
from linarite.signin.graph.sent import KeyNamed, PasswordWanted, SentKey, read
from linarite.signin.graph.views import secret as shown_secret
from linarite.signin.request import Reply

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask
    from linarite.signin.router import Act

SECRETS_MAX = 50
END_OF_TIME = 253_402_300_799
"""9999-12-31: no later date can be shown"""
SECRET_YEARS_DEFAULT, YEAR_S = 2, 365 * 86_400


def adding_password(collection: str) -> Act:
    """`addPassword`: the one time that the secret is shown."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        wanted = read(ask.body, PasswordWanted).password_credential
        async with desk.directory.turn:
            holder: Application | ServicePrincipal = record_named(ask, collection, desk)
            if len(holder.secrets) >= SECRETS_MAX:
                raise bad(f"There are {SECRETS_MAX} secrets already: remove one first.")
            start = _seconds(wanted and wanted.start_date_time, desk.now())
            end = _seconds(wanted and wanted.end_date_time, start + SECRET_YEARS_DEFAULT * YEAR_S)
            if end <= start:
                raise bad("Invalid value for property 'endDateTime': it is before the start.")
            if start < 0 or end > END_OF_TIME:
                raise bad("A secret's dates must lie between 1970 and 9999: set both.")
            text = new_secret()
            kept = Secret(
                id=new_id(),
                name=(wanted and wanted.display_name) or "",
                hint=text[:3],
                digest=secret_digest(desk.digest, holder.app_id, text),
                starts_at=start,
                ends_at=end,
            )
            await desk.directory.change(holder, secrets=(*holder.secrets, kept))
        context = f"{ask.base_url}/v1.0/$metadata#microsoft.graph.passwordCredential"
        return Reply(body={"@odata.context": context, **shown_secret(kept), "secretText": text})

    return act


def removing_password(collection: str) -> Act:
    """`removePassword`: it opens nothing from then on."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        key_id = read(ask.body, KeyNamed).key_id.lower()
        async with desk.directory.turn:
            holder: Application | ServicePrincipal = record_named(ask, collection, desk)
            kept = tuple(each for each in holder.secrets if each.id != key_id)
            if len(kept) == len(holder.secrets):
                raise no_such("secret", key_id)
            await desk.directory.change(holder, secrets=kept)
        return Reply(status=204)

    return act


def certificates_of(
    sent: list[SentKey], present: tuple[Certificate, ...]
) -> tuple[Certificate, ...]:
    """The certificates that a holder has after a write. Raises GraphRefused."""
    by_id = {each.id: each for each in present}
    made: list[Certificate] = []
    for each in sent:
        if each.key is not None:
            made.append(_certificate(each))
        elif each.key_id is not None and each.key_id.lower() in by_id:
            made.append(by_id[each.key_id.lower()])
        else:
            raise bad("Invalid value for property 'keyCredentials': one has neither key nor keyId.")
    return tuple(made)


def _certificate(sent: SentKey) -> Certificate:
    try:
        plain = base64.b64decode(sent.key or "", validate=True)
        read_in = x509.load_pem_x509_certificate if plain[:5] == b"-----" else None
        certificate = (read_in or x509.load_der_x509_certificate)(plain)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise bad(
            "Invalid value for property 'key': it is a certificate (DER or PEM) in base64; never "
            "send the private key."
        ) from None
    if not isinstance(key, RSAPublicKey):
        raise bad("Invalid value for property 'key': assertions are signed with RSA keys only.")
    return Certificate(
        id=(sent.key_id or new_id()).lower(),
        name=sent.display_name or certificate.subject.rfc4514_string(),
        sha1=_text(certificate.fingerprint(hashes.SHA1())),  # noqa: S303 - x5t is SHA-1, RFC 7515
        sha256=_text(certificate.fingerprint(hashes.SHA256())),
        pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        starts_at=int(certificate.not_valid_before_utc.timestamp()),
        ends_at=int(certificate.not_valid_after_utc.timestamp()),
    )


def _text(fingerprint: bytes) -> str:
    return base64.urlsafe_b64encode(fingerprint).decode().rstrip("=")


def _seconds(told: datetime | None, default: float) -> int:
    if told is None:
        return int(default)
    return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp())
