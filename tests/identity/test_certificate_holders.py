"""Which certificate is whose, as settings say it."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from linarite.domain.client_certificate import ShownCertificate, speaks_alone
from linarite.domain.directory import DirectoryEntry
from linarite.domain.errors import SetupError
from linarite.identity.certificate_holders import MappedHolders
from linarite.web.declared import check_listeners
from linarite.web.options import ClientCertificateSettings, ListenerSettings, Server

ROBOT, GROUP, GONE = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
PRINT = "ab" * 32
KEY = "0f" * 32
SHOWN = ShownCertificate(
    PRINT,
    "CN=robot,O=Contoso",
    frozenset({"DNS:robot.contoso.com"}),
    frozenset({KEY, "CN=Clients,O=Contoso"}),
)


class People:
    """A directory of one application and one group."""

    def __init__(self) -> None:
        self.enabled = True

    def entry(self, object_id: str) -> DirectoryEntry | None:
        """Whom it means."""
        kinds = {ROBOT: "ServicePrincipal", GROUP: "Group"}
        kind = kinds.get(object_id)
        return DirectoryEntry(object_id, kind, "robot", "app") if kind else None

    def valid_from(self, tenant_id: str, object_id: str) -> int | None:
        """Whether it is enabled."""
        return 0 if self.enabled and (tenant_id, object_id) == ("tenant", ROBOT) else None

    def groups_of(self, object_id: str) -> frozenset[str]:
        """Its groups."""
        return frozenset({GROUP}) if object_id == ROBOT else frozenset()


def holders(people: People | None = None, **rule: Any) -> MappedHolders:  # noqa: ANN401 - settings
    """One rule."""
    settings = ClientCertificateSettings(**{"principal": ROBOT, **rule})
    return MappedHolders({"one": settings}, people or People(), "tenant")


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"thumbprint": PRINT.upper()}, True),
        ({"thumbprint": ":".join(["AB"] * 32)}, True),
        ({"thumbprint": "cd" * 32}, False),
        ({"subject": "CN=robot,O=Contoso"}, True),
        ({"subject": "CN=robot"}, False),
        ({"name": "dns:Robot.Contoso.com"}, True),
        ({"name": "URI:robot.contoso.com"}, False),
        ({"subject": "CN=robot,O=Contoso", "thumbprint": "cd" * 32}, False),
        ({"subject": "CN=robot,O=Contoso", "issuer": "CN=Clients,O=Contoso"}, True),
        ({"subject": "CN=robot,O=Contoso", "issuer": "CN=Clients"}, False),
        ({"subject": "CN=robot,O=Contoso", "issuer": ":".join(["0F"] * 32)}, True),
        ({"subject": "CN=robot,O=Contoso", "issuer": "f0" * 32}, False),
        ({"name": "DNS:robot.contoso.com", "issuer": "CN=robot,O=Contoso"}, False),
        ({"thumbprint": PRINT, "issuer": "f0" * 32}, False),
        ({"thumbprint": PRINT, "listeners": ["inside"]}, True),
        ({"thumbprint": PRINT, "listeners": ["other"]}, False),
        ({"thumbprint": PRINT, "principal": GROUP}, False),
        ({"thumbprint": PRINT, "principal": GONE}, False),
    ],
)
def test_everything_that_a_rule_says_must_fit(rule: dict[str, Any], *, fits: bool) -> None:
    """And it must mean somebody who can have a role by himself."""
    found = holders(**rule).holder(SHOWN, "inside")
    assert (found is not None) is fits
    if found is not None:
        assert (found.object_id, found.app_id, found.token_id) == (ROBOT, "app", PRINT)
        assert found.groups == {GROUP}


def test_who_is_disabled_is_nobody_at_once() -> None:
    """The certificate is remembered; the standing is not."""
    people = People()
    asked = holders(people, thumbprint=PRINT)
    assert asked.holder(SHOWN, "inside") is not None
    people.enabled = False
    assert asked.holder(SHOWN, "inside") is None


def test_rules_for_nobody_are_told() -> None:
    """When the server starts, with the setting; not those for somebody."""
    with capture_logs() as lines:
        for principal in (GONE, ROBOT, GROUP):
            holders(thumbprint=PRINT, principal=principal).warn()
    nobody, group = lines
    assert "nobody in the directory" in nobody["event"]
    assert (group["kind"], "neither a user" in group["event"]) == ("Group", True)
    assert (nobody["rule"], nobody["principal"]) == ("one", GONE)


@pytest.mark.parametrize(
    ("headers", "alone"),
    [
        ({}, True),
        ({"api-key": "", "user-agent": "x"}, True),
        ({"api-key": "k"}, False),
        ({"authorization": "Bearer x"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "same-origin"}, False),
    ],
)
def test_a_certificate_counts_alone(headers: dict[str, str], *, alone: bool) -> None:
    """Not beside another credential, nor when a page asks a browser to send it."""
    assert speaks_alone(headers) is alone


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "thumbprint, subject or name"),
        ({"subject": "CN=x", "principal": "robot"}, "no object id"),
        ({"subject": "CN=x"}, "set issuer"),
        ({"name": "DNS:x"}, "client_certificates.one.listeners"),
        ({"subject": "CN=x", "issuer": "robots"}, "client_certificates.one.issuer"),
        ({"thumbprint": PRINT, "issuer": "CN"}, "RFC 4514"),
        ({"name": "robot"}, "its kind is none of"),
        ({"name": "IP:robot"}, "client_certificates.one.name"),
        ({"subject": "CN=x", "listeners": ["plain"]}, "asks for"),
        ({"subject": "CN=x", "listeners": ["absent"]}, "no listener"),
    ],
)
def test_rules_that_can_mean_nobody_are_told(rule: dict[str, Any], said: str) -> None:
    """At start, with the setting."""
    settings = ClientCertificateSettings(**{"principal": ROBOT, **rule})
    listeners = {"plain": ListenerSettings(address="127.0.0.1")}
    with pytest.raises(SetupError, match=said):
        check_listeners(Server(), listeners, {"one": settings})
