"""Identities of resources, as Azure Resource Manager makes them and the directory knows them."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.msi import ManagedServiceIdentityClient

from tests.contract.identity.conftest import SCOPE, claims_of
from tests.contract.identity.test_workloads import EXCHANGE, from_app

if TYPE_CHECKING:
    import httpx

    from tests.contract.identity.conftest import App, SignIn

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/identities"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/with-identity"
IDENTITIES = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"


class ManagementKey:
    """The management key as azure-core wants credentials."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get_token(self, *_: str, **__: object) -> AccessToken:
        """A token that is the key."""
        return AccessToken(self._key, int(time.time()) + 3600)


def arm(
    sign_in: SignIn, method: str, path: str, body: object = None, **query: str
) -> httpx.Response:
    """A request to the control plane with the management key."""
    key = sign_in.server.ready["management_key"]
    asked = {"api-version": "2025-09-01"} | query
    return sign_in.ask(
        method, path, params=asked, json=body, headers={"authorization": f"Bearer {key}"}
    )


@pytest.fixture(scope="module")
def group(sign_in: SignIn) -> str:
    """A resource group."""
    made = arm(sign_in, "PUT", GROUP, {"location": "local"}, **{"api-version": "2024-11-01"})
    assert made.status_code in {200, 201}, made.text
    return "identities"


@pytest.fixture(scope="module")
def msi(sign_in: SignIn) -> Any:  # noqa: ANN401 - its types don't allow plain dictionaries
    """azure-mgmt-msi."""
    return ManagedServiceIdentityClient(
        ManagementKey(sign_in.server.ready["management_key"]),
        SUBSCRIPTION,
        base_url=sign_in.url,
        credential_scopes=[f"{sign_in.url}/.default"],
        connection_verify=str(sign_in.authority.file),
        retry_total=0,
    )


def test_an_identity_lives_as_long_as_its_resource(sign_in: SignIn, msi: Any, group: str) -> None:  # noqa: ANN401 - the SDK's client has no types
    """Made, tagged, listed and deleted by the SDK; its service principal comes and goes with it."""
    made = msi.user_assigned_identities.create_or_update(group, "worker", {"location": "local"})
    assert made.tenant_id == sign_in.tenant
    principal = sign_in.graph("GET", f"/servicePrincipals/{made.principal_id}")
    assert principal["appId"] == made.client_id
    assert principal["servicePrincipalType"] == "ManagedIdentity"
    tagged = msi.user_assigned_identities.update(group, "worker", {"tags": {"team": "search"}})
    assert (tagged.tags, tagged.principal_id) == ({"team": "search"}, made.principal_id)
    listed = [each.name for each in msi.user_assigned_identities.list_by_resource_group(group)]
    assert listed == ["worker"]
    assert "worker" in [each.name for each in msi.user_assigned_identities.list_by_subscription()]
    msi.user_assigned_identities.delete(group, "worker")
    sign_in.graph("GET", f"/servicePrincipals/{made.principal_id}", status=404)


def test_an_identity_trusts_another_issuer(sign_in: SignIn, msi: Any, group: str) -> None:  # noqa: ANN401 - the SDK's client has no types
    """By a federated credential under it, until that is deleted."""
    made = msi.user_assigned_identities.create_or_update(group, "pods", {"location": "local"})
    claims = claims_of(from_app(sign_in, EXCHANGE))
    credentials = msi.federated_identity_credentials
    trusted = {"issuer": claims["iss"], "subject": claims["sub"], "audiences": [EXCHANGE]}
    credentials.create_or_update(group, "pods", "web-pods", trusted)
    with pytest.raises(HttpResponseError, match="same issuer and subject"):
        credentials.create_or_update(group, "pods", "again", trusted)

    def asked() -> httpx.Response:
        return sign_in.token(
            grant_type="client_credentials",
            client_id=made.client_id,
            client_assertion=from_app(sign_in, EXCHANGE),
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            scope=SCOPE,
        )

    assert claims_of(asked().json()["access_token"])["oid"] == made.principal_id
    credentials.delete(group, "pods", "web-pods")
    assert asked().json()["error_codes"] == [70021]


@pytest.mark.usefixtures("group")
def test_an_account_has_an_identity_of_its_own(sign_in: SignIn, msi: Any) -> None:  # noqa: ANN401 - the SDK's client has no types
    """System-assigned and user-assigned ones are shown with their ids; taken away, gone."""
    other = msi.user_assigned_identities.create_or_update(
        "identities", "shared", {"location": "local"}
    )
    body = {
        "location": "local",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {},
        "identity": {
            "type": "SystemAssigned, UserAssigned",
            "userAssignedIdentities": {f"{IDENTITIES}/shared": {}},
        },
    }
    made = arm(sign_in, "PUT", ACCOUNT, body).json()["identity"]
    assert made["tenantId"] == sign_in.tenant
    assert made["userAssignedIdentities"] == {
        f"{IDENTITIES}/shared": {"principalId": other.principal_id, "clientId": other.client_id}
    }
    principal = sign_in.graph("GET", f"/servicePrincipals/{made['principalId']}")
    assert principal["displayName"] == "with-identity"
    assert arm(sign_in, "GET", ACCOUNT).json()["identity"] == made
    arm(sign_in, "PATCH", ACCOUNT, {"identity": {"type": "None"}})
    assert "principalId" not in arm(sign_in, "GET", ACCOUNT).json().get("identity", {})
    sign_in.graph("GET", f"/servicePrincipals/{made['principalId']}", status=404)


def test_owners_of_everything_manage_the_directory(sign_in: SignIn, app: App) -> None:
    """A token opens Graph once its principal has the role at the root."""
    form = {
        "client_id": app.app_id,
        "client_secret": app.secret,
        "scope": "https://graph.microsoft.com/.default",
    }
    token = sign_in.token(grant_type="client_credentials", **form).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert sign_in.ask("GET", "/v1.0/users", headers=headers).status_code == 403
    path = f"/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER}"
    asked = {"roleDefinitionId": definition, "principalId": app.principal_id}
    version = {"api-version": "2022-04-01"}
    made = arm(sign_in, "PUT", path, {"properties": asked}, **version)
    assert made.status_code == 201, made.text
    assert made.json()["properties"]["principalType"] == "ServicePrincipal"
    try:
        answer = sign_in.ask("GET", "/v1.0/users", headers=headers)
        assert answer.status_code == 200, answer.text
    finally:
        assert arm(sign_in, "DELETE", path, **version).status_code == 200
    assert sign_in.ask("GET", "/v1.0/users", headers=headers).status_code == 403


def test_a_contributor_to_everything_is_no_owner(sign_in: SignIn) -> None:
    """It may read the directory; with an owner's new secret it would be one."""
    contributor, owner = sign_in.new_app("contributor"), sign_in.new_app("owner")
    version = {"api-version": "2022-04-01"}
    path = f"/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
    asked = {"roleDefinitionId": definition, "principalId": contributor.principal_id}
    assert arm(sign_in, "PUT", path, {"properties": asked}, **version).status_code == 201
    token = sign_in.token(
        grant_type="client_credentials",
        client_id=contributor.app_id,
        client_secret=contributor.secret,
        scope="https://graph.microsoft.com/.default",
    ).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    try:
        assert sign_in.ask("GET", "/v1.0/users", headers=headers).status_code == 200
        secret = f"/v1.0/applications/{owner.id}/addPassword"
        refused = sign_in.ask("POST", secret, json={}, headers=headers)
        assert refused.status_code == 403
        assert "roleAssignments/write" in refused.json()["error"]["message"]
    finally:
        assert arm(sign_in, "DELETE", path, **version).status_code == 200
