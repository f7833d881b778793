from __future__ import annotations

import ssl
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from linarite.cli.chat.endpoint import Asked, named_endpoint
from linarite.cli.chat.model import ChatModel, Sampling
from linarite.domain.errors import SetupError
from tests.cli.chat.endpoint_server import Answer, endpoint_server, refused, said

if TYPE_CHECKING:
    from pathlib import Path

QUESTION = [{"role": "user", "content": "Why?"}]
UNSUPPORTED = {
    "message": "Unsupported parameter: 'max_tokens' is not supported with this model.",
    "type": "invalid_request_error",
    "param": "max_tokens",
    "code": "unsupported_parameter",
}

pytestmark = pytest.mark.anyio


async def ask(url: str, asked: Asked | None = None, sampling: Sampling | None = None) -> str:
    """One question to an endpoint; returns the answer."""
    endpoint = named_endpoint(url, asked or Asked(deployment="m"))
    model = ChatModel(endpoint, sampling or Sampling())
    try:
        async with aclosing(model.answer(QUESTION)) as pieces:
            return "".join([piece.text async for piece in pieces])
    finally:
        await model.close()


@pytest.mark.parametrize(
    ("path", "header", "value"),
    [("/v1", "authorization", "Bearer s3cret"), ("", "api-key", "s3cret")],
)
async def test_each_dialect_has_its_way_with_keys(path: str, header: str, value: str) -> None:
    """OpenAI's protocol takes a bearer, Azure's the header api-key."""
    with endpoint_server(said("Hi.")) as other:
        assert await ask(other.url + path, Asked(deployment="m", key="s3cret")) == "Hi."
    (request,) = other.requests
    assert request.headers[header] == value


async def test_options_are_sent_as_the_protocol_names_them() -> None:
    """Nothing is sent that was not asked for, and what was asked for is."""
    with endpoint_server(said("Hi.")) as other:
        await ask(f"{other.url}/v1")
        sampling = Sampling(temperature=0.5, max_tokens=7, wants_usage=True)
        await ask(other.url, sampling=sampling)
    assert [(request.path, request.body) for request in other.requests] == [
        ("/v1/chat/completions", {"model": "m", "stream": True, "messages": QUESTION}),
        (
            "/openai/deployments/m/chat/completions?api-version=2024-10-21",
            {
                "stream": True,
                "messages": QUESTION,
                "temperature": 0.5,
                "max_tokens": 7,
                "stream_options": {"include_usage": True},
            },
        ),
    ]


async def test_models_that_want_the_newer_limit_get_it() -> None:
    """A refusal of max_tokens is answered by asking once more with max_completion_tokens."""
    with endpoint_server(refused(400, UNSUPPORTED), said("Hi.")) as other:
        assert await ask(f"{other.url}/v1", sampling=Sampling(max_tokens=7)) == "Hi."
    assert [request.body.get("max_completion_tokens") for request in other.requests] == [None, 7]


async def test_a_model_that_refuses_both_limits_is_asked_twice_only() -> None:
    """The second refusal is shown."""
    with endpoint_server(refused(400, UNSUPPORTED)) as other:
        with pytest.raises(SetupError, match="Unsupported parameter"):
            await ask(f"{other.url}/v1", sampling=Sampling(max_tokens=7))
        assert len(other.requests) == 2


async def test_the_only_model_of_an_endpoint_need_not_be_named() -> None:
    """One model is taken; several are listed, so that one can be chosen."""
    one = Answer(body='{"data": [{"id": "only"}]}')
    with endpoint_server(one, said("Hi.")) as other:
        assert await ask(f"{other.url}/v1", Asked()) == "Hi."
        assert other.requests[1].body["model"] == "only"
    two = Answer(body='{"data": [{"id": "a"}, {"id": "b"}]}')
    with endpoint_server(two) as other, pytest.raises(SetupError, match=r"Which .* a, b\."):
        await ask(f"{other.url}/v1", Asked())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refused(429, {"message": "Slow down."}, retry_after="7"), "Slow down. Try again in 7 s."),
        (refused(401, {"message": "No."}), "It wants a key. Give it with --key env:NAME"),
        (refused(404, {"code": "404", "message": "Resource not found"}), "ends in /v1"),
        (
            refused(404, {"message": "None.", "innererror": {"deployments": ["a", "b"]}}),
            "None. Deployments there: a, b.",
        ),
        (Answer(status=502, body="<html>Bad gateway</html>"), "answered 502: <html>Bad gateway"),
        (Answer(status=500, body='{"error": "odd"}'), "answered 500: odd"),
        (Answer(status=422, body='{"detail": "odder"}'), "answered 422: odder"),
        (Answer(status=500), "answered 500: nothing"),
        (Answer(status=500, body='{"error": {"message": "a\\u001b[2Jb"}}'), "500: a [2Jb"),
        (Answer(body="{}"), "speaks neither"),
        (Answer(events=["not json"]), "speaks neither"),
        (Answer(events=['{"error": {"message": "engine died"}}']), "broke off: engine died"),
    ],
)
async def test_refusals_say_what_helps(answer: Answer, told: str) -> None:
    """The server's own words come first, then what to do; a terminal may show all of it."""
    with endpoint_server(answer) as other, pytest.raises(SetupError) as refusal:
        await ask(f"{other.url}/v1")
    assert told in refusal.value.message
    assert refusal.value.message.isprintable()


async def test_a_server_that_is_not_there_is_named() -> None:
    """The message says where nothing answers and how to start a server."""
    with pytest.raises(SetupError, match=r"No connection to http://127\.0\.0\.1:9 .*linarite up"):
        await ask("http://127.0.0.1:9/v1")


async def test_a_private_authority_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    """With its CA file a server's TLS certificate is accepted, without it refused."""
    context, certificate = self_signed(tmp_path)
    with endpoint_server(said("Hi."), tls=context) as other:
        trusting = Asked(deployment="m", ca_file=str(certificate))
        assert await ask(f"{other.url}/v1", trusting) == "Hi."
        with pytest.raises(SetupError, match=r"is not trusted .*verify failed.*--ca-file"):
            await ask(f"{other.url}/v1")


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1 that nobody knows, in use and as a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat test")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return context, certificate_file
