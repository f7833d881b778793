"""The local authority: what it makes, for whom, and what it refuses."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from linarite.domain.errors import SetupError
from linarite.web.certificates.authority import (
    LocalAuthority,
    Scope,
    make_authority,
    open_authority,
)
from linarite.web.certificates.local_leaves import RENEWED_AFTER_S, LocalLeaves
from linarite.web.certificates.places import CA_FILE, KEY_FILE

if TYPE_CHECKING:
    from pathlib import Path


def test_its_key_is_private_and_its_certificate_public(tmp_path: Path) -> None:
    """Made once; what is handed out holds no key."""
    folder = tmp_path / "ca"
    first = open_authority(folder, Scope("linarite.internal"))
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert b"PRIVATE" not in (folder / CA_FILE).read_bytes()
    make_authority(folder, Scope("linarite.internal"))  # another process was quicker
    assert open_authority(folder, Scope("linarite.internal")).certificate == first.certificate
    make_authority(folder, Scope("linarite.internal"), replace=True)
    assert LocalAuthority(folder).certificate != first.certificate


def test_its_key_opens_by_its_secret_alone(tmp_path: Path) -> None:
    """Who has a copy of the folder and not the secret can speak for nobody."""
    scope = Scope("linarite.internal")
    made = open_authority(tmp_path, scope, b"secret")
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / KEY_FILE).read_bytes()
    for wrong in (b"other", b""):
        with pytest.raises(SetupError, match="master key"):
            LocalAuthority(tmp_path, wrong)
    LocalAuthority(tmp_path, b"secret").renewed(scope)
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / KEY_FILE).read_bytes()
    again = LocalAuthority(tmp_path, b"secret")
    leaf = x509.load_pem_x509_certificate(again.server(["localhost"]).chain)
    leaf.verify_directly_issued_by(made.certificate)


@pytest.mark.parametrize(
    "name",
    [
        "api.openai.com",
        "linarite.internal.evil.com",
        "xlinarite.internal",
        "8.8.8.8",
        "2001:4860::1",
    ],
)
def test_it_certifies_nothing_else(tmp_path: Path, name: str) -> None:
    """The refusal names the setting; and even if it did, nobody would believe it."""
    authority = open_authority(tmp_path, Scope("linarite.internal", ["203.0.113.9", "ai.corp"]))
    authority.require_permitted(
        ["x.ai.corp", "203.0.113.9", "10.1.2.3", "*.openai.linarite.internal"]
    )
    with pytest.raises(SetupError, match=r"server\.local_names"):
        authority.server([name])
    stolen = LocalAuthority(tmp_path)
    stolen.require_permitted = lambda _: None  # type: ignore[method-assign] # pyright: ignore[reportAttributeAccessIssue] - whoever stole the key checks nothing
    forged = stolen.server([name])
    (tmp_path / "forged.pem").write_bytes(forged.chain)
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (`make test` does on Debian); the rest was tried")
    done = subprocess.run(
        ["openssl", "verify", "-CAfile", str(tmp_path / CA_FILE), str(tmp_path / "forged.pem")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "permitted subtree violation" in done.stdout + done.stderr


def test_a_renewed_authority_is_the_same_to_those_who_trust_it(tmp_path: Path) -> None:
    """The key stays: certificates under the old one and the new one are believed."""
    authority = open_authority(tmp_path, Scope("linarite.internal"))
    old = (tmp_path / CA_FILE).read_bytes()
    authority.renewed(Scope("linarite.internal", ["203.0.113.9"]))
    assert (tmp_path / CA_FILE).read_bytes() != old
    wider = LocalAuthority(tmp_path)
    issued = wider.server(["localhost", "203.0.113.9"])
    leaf = x509.load_pem_x509_certificate(issued.chain)
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(old))
    leaf.verify_directly_issued_by(wider.certificate)
    issued.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def test_leaves_are_issued_anew_before_they_end(tmp_path: Path) -> None:
    """While the server runs; and when the authority changes."""
    now = [datetime.now(UTC).timestamp()]
    leaves = LocalLeaves(tmp_path, "linarite.internal", clock=lambda: now[0])
    first = leaves.at("10.0.0.5")
    assert {
        "10.0.0.5",
        "127.0.0.1",
        "::1",
        "localhost",
        "*.openai.linarite.internal",
    } <= first.names
    until = x509.load_pem_x509_certificate(first.chain).not_valid_after_utc
    now[0] += RENEWED_AFTER_S - 1
    assert leaves.at("10.0.0.5") is first
    now[0] += 2
    assert datetime.fromtimestamp(now[0], UTC) + timedelta(days=20) < until
    assert leaves.at("10.0.0.5") is not first
    assert not leaves.look()
    make_authority(tmp_path, Scope("linarite.internal"), replace=True)
    assert leaves.look()
    leaf = x509.load_pem_x509_certificate(leaves.at("10.0.0.5").chain)
    leaf.verify_directly_issued_by(LocalAuthority(tmp_path).certificate)
    (tmp_path / KEY_FILE).write_text("nothing")
    assert not leaves.look()
    assert leaves.at("10.0.0.5").names


def test_leaves_for_addresses_are_bounded(tmp_path: Path) -> None:
    """The loopback network alone has millions."""
    leaves = LocalLeaves(tmp_path, "linarite.internal")
    for number in range(70):
        leaves.at(f"127.0.1.{number}")
    assert len(leaves._issued) == 64


def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / KEY_FILE).write_text("nothing")
    with pytest.raises(SetupError, match="linarite ca renew --new-key"):
        LocalAuthority(tmp_path)
