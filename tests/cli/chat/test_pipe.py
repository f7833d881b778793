from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cli.chat.endpoint_server import Answer, endpoint_server, refused, said
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

UNSUPPORTED = {
    "message": "Unsupported parameter: 'max_tokens' is not supported with this model.",
    "type": "invalid_request_error",
    "param": "max_tokens",
    "code": "unsupported_parameter",
}


def test_one_question_gets_one_answer_from_the_running_server(server: Server) -> None:
    """Endpoint and key come from the serving file; only the answer is on stdout."""
    done = linarite(server.home, "chat", "gpt-4o", "--max-tokens", "9", stdin="Why?\n")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 3
    assert done.stdout.endswith("\n")
    assert "\x1b" not in done.stdout + done.stderr
    assert "cut off: the answer reached the limit of tokens" in done.stderr


def test_statistics_are_beside_the_answer(server: Server) -> None:
    """--stats tells the endpoint's token counts and the speed, on stderr."""
    done = linarite(server.home, "chat", "gpt-4o", "--stats", "--max-tokens", "9", stdin="Why?")
    assert done.returncode == 0, done.stderr
    pattern = r"\d+ tokens in, 9 out in \d+\.\d\d s, the first after \d+\.\d\d s"
    assert re.search(pattern, done.stderr), done.stderr


def test_both_dialects_reach_our_own_server(server: Server) -> None:
    """The Azure base, the full Azure address and /openai/v1/ give the same answer."""
    key_file = server.home / "key"
    key_file.write_text(f"{server.key}\n")
    addresses = [
        server.endpoint,
        f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-06-01",
        f"{server.endpoint}/openai/v1/",
    ]
    answers = [
        linarite(
            *(server.home, "chat", "gpt-4o", "--endpoint", address, "--key-file", str(key_file)),
            *("--temperature", "0", "--max-tokens", "20"),
            stdin="Why?",
        )
        for address in addresses
    ]
    assert [done.returncode for done in answers] == [0, 0, 0], answers
    assert answers[0].stdout
    assert len({done.stdout for done in answers}) == 1


def test_the_key_may_come_from_the_environment(server: Server) -> None:
    """`env:NAME` sends that variable's value; a wrong key is refused with advice."""
    command = ("chat", "gpt-4o", "--endpoint", server.endpoint, "--key", "env:MY_KEY")
    done = linarite(server.home, *command, stdin="Why?", MY_KEY=server.key)
    assert done.returncode == 0, done.stderr
    done = linarite(server.home, *command, stdin="Why?", MY_KEY="wrong")
    assert done.returncode == 1
    assert "answered 401" in done.stderr
    assert "--key env:NAME" in done.stderr
    done = linarite(server.home, *command, stdin="Why?")
    assert done.returncode == 1
    assert "the environment variable MY_KEY, but it is not set" in done.stderr


def test_an_unknown_deployment_is_told_with_those_that_exist(server: Server) -> None:
    """The server's hint is passed on, in one line."""
    done = linarite(server.home, "chat", "gpt-5", stdin="Why?")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Deployments there: gpt-4o, slow, vectors." in done.stderr


def test_our_key_goes_to_our_server_alone(server: Server) -> None:
    """With --endpoint, nothing of the serving file is sent."""
    with endpoint_server(said("Hi.")) as other:
        done = linarite(server.home, "chat", "m", "--endpoint", f"{other.url}/v1", stdin="Why?")
    assert done.stdout == "Hi.\n", done.stderr
    (request,) = other.requests
    assert "authorization" not in request.headers
    assert "api-key" not in request.headers
    assert server.key not in str(request)


@pytest.mark.parametrize(
    ("path", "header", "value"),
    [("/v1", "authorization", "Bearer s3cret"), ("", "api-key", "s3cret")],
)
def test_each_dialect_has_its_way_with_keys(
    tmp_path: Path, path: str, header: str, value: str
) -> None:
    """OpenAI's protocol takes a bearer, Azure's the header api-key."""
    with endpoint_server(said("Hi.")) as other:
        arguments = ("chat", "m", "--endpoint", other.url + path, "--key", "s3cret")
        assert linarite(tmp_path, *arguments, stdin="Why?").stdout == "Hi.\n"
    (request,) = other.requests
    assert request.headers[header] == value


def test_options_are_sent_as_the_protocol_names_them(tmp_path: Path) -> None:
    """Nothing is sent that was not asked for, and what was asked for is."""
    with endpoint_server(said("Hi.")) as other:
        base = ("chat", "m", "--endpoint", f"{other.url}/v1")
        linarite(tmp_path, *base, stdin="Why?")
        more = ("--temperature", "0.5", "--max-tokens", "7", "--stats", "--system", "Brief.")
        linarite(tmp_path, *base, *more, stdin="Why?")
    question = {"role": "user", "content": "Why?"}
    assert [request.body for request in other.requests] == [
        {"model": "m", "stream": True, "messages": [question]},
        {
            "model": "m",
            "stream": True,
            "messages": [{"role": "system", "content": "Brief."}, question],
            "temperature": 0.5,
            "max_tokens": 7,
            "stream_options": {"include_usage": True},
        },
    ]


def test_models_that_want_the_newer_limit_get_it(tmp_path: Path) -> None:
    """A refusal of max_tokens is answered by asking once more with max_completion_tokens."""
    with endpoint_server(refused(400, UNSUPPORTED), said("Hi.")) as other:
        arguments = ("chat", "m", "--endpoint", f"{other.url}/v1", "--max-tokens", "7")
        done = linarite(tmp_path, *arguments, stdin="Why?")
    assert done.stdout == "Hi.\n", done.stderr
    assert [request.body.get("max_completion_tokens") for request in other.requests] == [None, 7]


def test_the_only_model_of_an_endpoint_need_not_be_named(tmp_path: Path) -> None:
    """One model is taken; several are listed, so that one can be chosen."""
    one = Answer(body='{"data": [{"id": "only"}]}')
    with endpoint_server(one, said("Hi.")) as other:
        done = linarite(tmp_path, "chat", "--endpoint", f"{other.url}/v1", stdin="Why?")
        assert done.stdout == "Hi.\n", done.stderr
        assert other.requests[1].body["model"] == "only"
    with endpoint_server(Answer(body='{"data": [{"id": "a"}, {"id": "b"}]}')) as other:
        done = linarite(tmp_path, "chat", "--endpoint", f"{other.url}/v1", stdin="Why?")
    assert done.returncode == 1
    assert "Which model?" in done.stderr
    assert "a, b" in done.stderr


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refused(429, {"message": "Slow down."}, retry_after="7"), "Slow down. Try again in 7 s."),
        (refused(404, {"code": "404", "message": "Resource not found"}), "ends in /v1"),
        (Answer(status=502, body="<html>Bad gateway</html>"), "answered 502: <html>Bad gateway"),
        (Answer(status=500, body='{"error": "odd"}'), "answered 500: odd"),
        (Answer(status=500, body='{"error": {"message": "a\\u001b[2Jb"}}'), "500: a [2Jb"),
        (Answer(body="{}"), "speaks neither"),
        (Answer(events=["not json"]), "speaks neither"),
        (Answer(events=['{"error": {"message": "engine died"}}']), "broke off: engine died"),
    ],
)
def test_refusals_are_one_line_that_helps(tmp_path: Path, answer: Answer, told: str) -> None:
    """The server's own words come first, then what to do; never a traceback."""
    with endpoint_server(answer) as other:
        arguments = ("chat", "m", "--endpoint", f"{other.url}/v1")
        done = linarite(tmp_path, *arguments, stdin="Why?")
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--endpoint", "http://127.0.0.1:9"), "No connection to http://127.0.0.1:9"),
        (("--endpoint", "ftp://example.com"), "A URL must look like"),
        (("--endpoint", "http://127.0.0.1:9", "--key-file", "none"), "the key file none can't be"),
        (("--key", "a", "--key-file", "b"), "exclude each other"),
        ((), "No server runs with its data in"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_sent(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    """Wrong options end with one line that names them."""
    done = linarite(tmp_path, "chat", "m", *arguments, stdin="Why?")
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_empty_question_is_not_sent(server: Server) -> None:
    """The way to ask is shown instead."""
    done = linarite(server.home, "chat", "gpt-4o", stdin=" \n")
    assert done.returncode == 1
    assert "Nothing came on standard input" in done.stderr


def test_a_private_authority_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    """With --ca-file a server's TLS certificate is accepted, without it refused."""
    context, certificate = self_signed(tmp_path)
    with endpoint_server(said("Hi."), tls=context) as other:
        base = ("chat", "m", "--endpoint", f"{other.url}/v1")
        done = linarite(tmp_path, *base, "--ca-file", str(certificate), stdin="Why?")
        assert done.stdout == "Hi.\n", done.stderr
        done = linarite(tmp_path, *base, stdin="Why?")
    assert done.returncode == 1
    assert "certificate verify failed" in done.stderr


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
