"""`linarite ca`, and official clients that trust what it made, as its lines say."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from linarite.web.certificates.client_chain import key_print
from tests.authority import Authority
from tests.cli.terminal import LINARITE, environment, linarite
from tests.javascript import node

if TYPE_CHECKING:
    from tests.serving import Server

AZ_PYTHON = Path(__file__).resolve().parents[3] / ".venv.az" / "bin" / "python"
PROGRAM = """
import os
from openai import AzureOpenAI

client = AzureOpenAI(
    azure_endpoint=os.environ["ENDPOINT"], api_key=os.environ["KEY"], api_version="2024-10-21"
)
reply = client.chat.completions.create(
    model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], max_tokens=8
)
print(reply.choices[0].message.content)
"""
FETCH = """
const url = process.env.ENDPOINT + "/openai/models?api-version=2024-10-21";
const reply = await fetch(url, {headers: {"api-key": process.env.KEY}});
console.log(JSON.stringify(await reply.json()));
"""


def run(server: Server, command: str, *, trusting: bool = True) -> subprocess.CompletedProcess[str]:
    """A command line in a shell that has had `linarite ca env`, or has not."""
    lines = f'eval "$({" ".join(LINARITE)} ca env)"\n{command}' if trusting else command
    return subprocess.run(
        ["sh", "-ec", lines],
        env=environment(server.home)
        | {"ENDPOINT": server.ready["https_endpoint"], "KEY": server.key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_lines_make_python_trust_it(server: Server, tmp_path: Path) -> None:
    """The official client over https, unchanged; without the lines it refuses."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = run(server, f"{sys.executable} {program}")
    assert done.stdout.strip(), done.stderr
    refused = run(server, f"{sys.executable} {program}", trusting=False)
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_the_lines_make_curl_trust_it(server: Server) -> None:
    """Without flags."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: `make test` installs it on Debian")
    assert run(server, 'curl -sS "$ENDPOINT/healthz"').stdout.strip() == "ok"
    assert run(server, 'curl -sS "$ENDPOINT/healthz"', trusting=False).returncode == 60


def test_the_lines_make_node_trust_it(server: Server, tmp_path: Path) -> None:
    """Without a package."""
    program = tmp_path / "program.mjs"
    program.write_text(FETCH)
    done = run(server, f"{node()} {program}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]
    assert run(server, f"{node()} {program}", trusting=False).returncode != 0


AZ_REST = f"{AZ_PYTHON} -m azure.cli rest --skip-authorization-header --method get --url"


def test_the_lines_make_az_trust_it(server: Server, tmp_path: Path) -> None:
    """The real az, by nothing but those lines; without them it refuses the certificate."""
    if not AZ_PYTHON.exists():
        pytest.skip("azure-cli is not set up: `make test` installs it")
    own = f"export AZURE_CONFIG_DIR={tmp_path}"
    asked = f'{own}\n{AZ_REST} "$ENDPOINT/metadata/endpoints?api-version=2022-09-01"'
    done = run(server, asked)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["resourceManager"] == f"{server.ready['https_endpoint']}/"
    refused = run(server, asked, trusting=False)
    assert refused.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


def test_what_a_shell_adds_already_stays_added(tmp_path: Path) -> None:
    """An organisation's own authority is not forgotten; a second time adds nothing more."""
    theirs = Authority(tmp_path, "theirs").file
    line = "NODE_EXTRA_CA_CERTS="

    def told(said: str) -> str:
        shell = environment(tmp_path / "home") | {"NODE_EXTRA_CA_CERTS": said}
        words = [*LINARITE, "ca", "env", "--no-export"]
        done = subprocess.run(words, env=shell, capture_output=True, text=True, check=True)
        [found] = [each for each in done.stdout.splitlines() if each.startswith(line)]
        return found.removeprefix(line)

    (tmp_path / "home").mkdir()
    alone = told("")
    assert alone == str(tmp_path / "home" / "ca" / "ca.pem")
    assert told(alone) == told(str(tmp_path / "absent.pem")) == alone
    both = told(str(theirs))
    pem = theirs.read_text() + (tmp_path / "home" / "ca" / "ca.pem").read_text()
    assert Path(both).read_text() == pem
    assert (told(both), Path(both).read_text()) == (both, pem)


def test_the_path_is_the_file_that_a_server_tells(server: Server) -> None:
    """Whatever the panel and the serving file say."""
    assert linarite(server.home, "ca", "path").stdout.strip() == server.ready["ca_file"]
    shown = linarite(server.home, "ca", "show").stdout
    assert "linarite.internal" in shown
    certificate = x509.load_pem_x509_certificate((server.home / "ca" / "ca.pem").read_bytes())
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() in shown
    assert key_print(certificate) in shown
    assert server.ready["ca_file"] in linarite(server.home, "ca", "trust").stdout


def test_issued_certificates_are_good(tmp_path: Path) -> None:
    """For servers and clients; files that are there are not written over; names are checked."""
    to = ("--to", str(tmp_path / "gate"))
    done = linarite(tmp_path, "ca", "issue", "gate.linarite.internal", "10.0.0.4", *to)
    assert done.returncode == 0, done.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "gate.crt", tmp_path / "gate.key")
    assert (tmp_path / "gate.key").stat().st_mode & 0o777 == 0o600
    again = linarite(tmp_path, "ca", "issue", "gate.linarite.internal", *to)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    for words, said in (
        (["api.openai.com"], "server.local_names"),
        (["a.b", "--client"], "A client has one name"),
        (["a", "b", "--client"], "A client has one name"),
    ):
        refused = linarite(tmp_path, "ca", "issue", *words, "--to", str(tmp_path / "other"))
        assert refused.returncode == 1
        assert said in refused.stderr
    client = linarite(tmp_path, "ca", "issue", "--client", "robot", "--to", str(tmp_path / "robot"))
    thumbprint = client.stdout.split("SHA-256")[1].split()[0]
    assert len(thumbprint) == 64


def test_renewing_follows_the_settings(tmp_path: Path) -> None:
    """The key stays unless a new one is wanted."""
    first = linarite(tmp_path, "ca", "show").stdout
    old = x509.load_pem_x509_certificate((tmp_path / "ca" / "ca.pem").read_bytes())
    (tmp_path / "linarite.toml").write_text('[server]\nlocal_names = ["203.0.113.9", "gpu.corp"]\n')
    renewed = linarite(tmp_path, "ca", "renew").stdout
    assert "203.0.113.9/32" in renewed
    assert "gpu.corp" in renewed
    assert renewed != first
    new = x509.load_pem_x509_certificate((tmp_path / "ca" / "ca.pem").read_bytes())
    assert new != old
    assert new.public_key() == old.public_key()
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / "ca" / "authority.pem").read_bytes()
    assert (
        linarite(tmp_path, "ca", "issue", "x.gpu.corp", "--to", str(tmp_path / "x")).returncode == 0
    )
    linarite(tmp_path, "ca", "renew", "--new-key")
    other = x509.load_pem_x509_certificate((tmp_path / "ca" / "ca.pem").read_bytes())
    assert other.public_key() != old.public_key()


def test_a_replaced_authority_is_trusted_no_more(tmp_path: Path) -> None:
    """Though the shell has the lines of before, by which the bundle is what it trusts."""
    linarite(tmp_path, "ca", "env")
    bundle, public = tmp_path / "ca" / "bundle.pem", tmp_path / "ca" / "ca.pem"
    mine = public.read_text()
    others = bundle.read_text().removesuffix(mine)
    linarite(tmp_path, "ca", "renew", "--new-key")
    assert linarite(tmp_path, "ca", "env", SSL_CERT_FILE=str(bundle)).returncode == 0
    assert public.read_text() != mine
    now = bundle.read_text().removesuffix(public.read_text())
    assert mine not in now
    assert set(now.split("-----BEGIN")) == set(others.split("-----BEGIN"))
