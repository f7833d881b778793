"""Who asks at the token endpoint: the client, and what proves that it is the one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import msgspec

from linarite.signin.clients import Client, known_client
from linarite.signin.directory.secrets import same, secret_digest
from linarite.signin.guarding import CLIENT, Attempt
from linarite.signin.proofs.assertion import assertion_subject, prove_by_assertion
from linarite.signin.refusals import SignInRefused, refused

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET_CHARACTERS_MAX = 1024


async def client_of(ask: Ask, desk: Desk) -> Client:
    """The client with what it presented proved; nothing presented proves nothing.

    Raises SignInRefused for a wrong proof, also while it would have to wait.
    """
    client_id, secret = _presented(ask)
    assertion = ask["client_assertion"]
    if assertion and not client_id:
        client_id = assertion_subject(assertion)
    if not secret and not assertion:
        return known_client(client_id, desk)
    attempt = Attempt(desk.throttle, CLIENT, client_id, ask.address)
    try:
        client = known_client(client_id, desk)
        if client.application is None and client.principal is None:
            raise refused(700025)
        if assertion:
            if ask["client_assertion_type"] != ASSERTION_TYPE:
                raise refused(900144, parameter="client_assertion_type")
            proved = await prove_by_assertion(assertion, client, ask, desk)
        else:
            proved = _by_secret(secret, client, desk)
    except SignInRefused:
        # Only who is wrong waits. What clients prove themselves with nobody guesses, so that
        # others' failures, be it behind the same proxy, must not keep out who is right.
        attempt.require_turn()
        attempt.failed()
        raise
    attempt.succeeded()
    return proved


def require_proof(client: Client, grant: str) -> None:
    """Let nobody pass who has proved nothing, but for clients that can't. Raises SignInRefused."""
    if client.proof != "0":
        return
    if grant == "client_credentials":
        raise refused(7000216)
    if not client.is_public:
        raise refused(7000218)


def _presented(ask: Ask) -> tuple[str, str]:
    """Client id and secret: of the body, else of `Authorization: Basic`, RFC 6749, 2.3.1."""
    scheme, _, told = ask.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ask["client_id"].strip(), ask["client_secret"]
    try:
        plain = base64.b64decode(told.strip(), validate=True).decode()
    except ValueError:  # no base64, or no UTF-8
        raise refused(90014, why="its Authorization header is not 'Basic' and base64") from None
    name, _, secret = plain.partition(":")
    return unquote_plus(name).strip(), unquote_plus(secret)


def _by_secret(secret: str, client: Client, desk: Desk) -> Client:
    digest = secret_digest(desk.digest, client.app_id, secret[:SECRET_CHARACTERS_MAX])
    kept = [
        each
        for holder in (client.application, client.principal)
        if holder is not None
        for each in holder.secrets
    ]
    # Every secret is compared, in constant time each: how long it takes tells nothing.
    found = [each for each in kept if same(each.digest, digest)]
    if not found:
        raise refused(7000215, client=client.app_id)
    if not any(each.starts_at <= desk.now() < each.ends_at for each in found):
        raise refused(7000222, client=client.app_id)
    return msgspec.structs.replace(client, proof="1", how="client_secret")
