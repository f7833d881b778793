"""An account's perimeter, as the official client of accounts reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.arm.conftest import Managed, Sdk

ACCOUNT = {
    "location": "local",
    "kind": "OpenAI",
    "sku": {"name": "S0"},
    "properties": {"publicNetworkAccess": "SecuredByPerimeter"},
}
VERSION = "2024-10-01"


def test_configurations_are_listed_read_and_reconciled(
    managed: Managed, cognitive: Sdk, group: str
) -> None:
    """With typed rules; the account keeps `SecuredByPerimeter`."""
    account = cognitive.accounts.begin_create(group, "within", ACCOUNT).result()
    assert account.properties.public_network_access == "SecuredByPerimeter"
    below = account.id.partition("/providers/")[0]
    perimeter = f"{below}/providers/Microsoft.Network/networkSecurityPerimeters/edge"
    profile = f"{perimeter}/profiles/main"

    def put(path: str, body: dict[str, Any]) -> None:
        made = managed.ask("PUT", f"{path}?api-version={VERSION}", json=body)
        assert made.status_code == 201, made.text

    put(perimeter, {"location": "local"})
    put(profile, {"properties": {}})
    rule = {"direction": "Inbound", "addressPrefixes": ["198.51.100.0/24"]}
    put(f"{profile}/accessRules/office", {"properties": rule})
    association = {
        "privateLinkResource": {"id": account.id},
        "profile": {"id": profile},
        "accessMode": "Enforced",
    }
    put(f"{perimeter}/resourceAssociations/one", {"properties": association})

    configurations = cognitive.network_security_perimeter_configurations
    (listed,) = configurations.list(group, "within")
    read = configurations.get(group, "within", listed.name)
    assert read.properties.network_security_perimeter.id == perimeter
    assert read.properties.resource_association.access_mode == "Enforced"
    (shown,) = read.properties.profile.access_rules
    assert (shown.name, shown.properties.direction) == ("office", "Inbound")
    assert shown.properties.address_prefixes == ["198.51.100.0/24"]
    again = configurations.begin_reconcile(group, "within", listed.name).result()
    assert again.properties.provisioning_state == "Succeeded"

    path = f"{perimeter}/resourceAssociations/one?api-version={VERSION}"
    assert managed.ask("DELETE", path).status_code == 200
    assert not list(configurations.list(group, "within"))
