"""Programs get tokens without a secret: certificates, federation, managed identities."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from tests.authority import self_signed
from tests.contract.identity.conftest import HEADER_SECRET, RESOURCE, SCOPE, claims_of

if TYPE_CHECKING:
    import httpx

    from tests.contract.identity.conftest import App, SignIn

EXCHANGE = "api://AzureADTokenExchange"
IMDS = "/metadata/identity/oauth2/token"


def with_certificate(sign_in: SignIn, app: App, pem: bytes, tenant: str = "") -> Any:  # noqa: ANN401 - the SDK's credential has no types
    """CertificateCredential."""
    return CertificateCredential(
        tenant or sign_in.tenant,
        app.app_id,
        certificate_data=pem,
        authority=sign_in.host,
        disable_instance_discovery=True,
    )


def from_machine(sign_in: SignIn, **query: str) -> httpx.Response:
    """A request as on a virtual machine."""
    asked = {"api-version": "2018-02-01", "resource": RESOURCE} | query
    return sign_in.ask("GET", IMDS, params=asked, headers={"Metadata": "true"})


def from_app(sign_in: SignIn, resource: str = RESOURCE) -> str:
    """A token of the identity `web`."""
    answer = sign_in.ask(
        "GET",
        "/msi/token",
        params={"api-version": "2019-08-01", "resource": resource},
        headers={"X-IDENTITY-HEADER": HEADER_SECRET},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


@pytest.fixture(scope="module")
def federated(sign_in: SignIn, app: App) -> App:
    """The application trusts the managed identity `web`."""
    claims = claims_of(from_app(sign_in, EXCHANGE))
    sign_in.graph(
        "POST",
        f"/applications/{app.id}/federatedIdentityCredentials",
        {
            "name": "web",
            "issuer": claims["iss"],
            "subject": claims["sub"],
            "audiences": [EXCHANGE],
        },
        201,
    )
    return app


def test_a_certificate_gets_a_token(sign_in: SignIn, app: App) -> None:
    """CertificateCredential; a certificate that is not the application's is refused."""
    pem, der = self_signed("the application")
    foreign, _ = self_signed("somebody else")
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(der).decode()}
    sign_in.graph("PATCH", f"/applications/{app.id}", {"keyCredentials": [key]}, 204)
    with sign_in.environment():
        for tenant in ("", "adfs"):
            token = with_certificate(sign_in, app, pem, tenant).get_token(SCOPE).token
            assert claims_of(token)["azpacr"] == "2"
            assert claims_of(token)["oid"] == app.principal_id
        with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
            with_certificate(sign_in, app, foreign).get_token(SCOPE)


def test_another_issuers_token_is_as_good(sign_in: SignIn, federated: App, tmp_path: Path) -> None:
    """ClientAssertionCredential and WorkloadIdentityCredential, which reads a file."""
    with sign_in.environment(AZURE_AUTHORITY_HOST=sign_in.url):
        by_call = ClientAssertionCredential(
            sign_in.tenant,
            federated.app_id,
            lambda: from_app(sign_in, EXCHANGE),
            disable_instance_discovery=True,
        )
        assert claims_of(by_call.get_token(SCOPE).token)["oid"] == federated.principal_id
        file = tmp_path / "token"
        file.write_text(from_app(sign_in, EXCHANGE))
        by_file = WorkloadIdentityCredential(
            tenant_id=sign_in.tenant, client_id=federated.app_id, token_file_path=str(file)
        )
        assert claims_of(by_file.get_token(SCOPE).token)["oid"] == federated.principal_id


def test_assertions_of_others_prove_nothing(sign_in: SignIn, federated: App) -> None:
    """Another audience, and a token whose signature was changed."""
    whole = from_app(sign_in, EXCHANGE)
    head, payload, signature = whole.split(".")
    changed = f"{head}.{payload}.{'A' * 20}{signature[20:]}"
    cases = {from_app(sign_in): 70021, changed: 700213, "no.token.at-all": 50027}
    for assertion, number in cases.items():
        answer = sign_in.token(
            grant_type="client_credentials",
            client_id=federated.app_id,
            client_assertion=assertion,
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            scope=SCOPE,
        )
        assert answer.status_code == 401
        assert answer.json()["error_codes"] == [number]


def test_managed_identity_as_on_app_service(sign_in: SignIn) -> None:
    """ManagedIdentityCredential, by IDENTITY_ENDPOINT and IDENTITY_HEADER."""
    variables = {"IDENTITY_ENDPOINT": f"{sign_in.url}/msi/token", "IDENTITY_HEADER": HEADER_SECRET}
    with sign_in.environment(**variables):
        claims = claims_of(ManagedIdentityCredential().get_token(SCOPE).token)
    assert claims["ver"] == "1.0"
    assert claims["aud"] == RESOURCE
    assert claims["iss"].endswith(f"/{sign_in.tenant}/")
    assert claims["xms_mirid"].endswith("/web")
    shown = sign_in.graph("GET", f"/servicePrincipals/{claims['oid']}")
    assert shown["servicePrincipalType"] == "ManagedIdentity"
    assert shown["appId"] == claims["appid"]


def test_managed_identity_as_on_a_virtual_machine(sign_in: SignIn) -> None:
    """ManagedIdentityCredential and DefaultAzureCredential, by the user whose process asks."""
    with sign_in.environment(AZURE_POD_IDENTITY_AUTHORITY_HOST=sign_in.url):
        claims = claims_of(ManagedIdentityCredential().get_token(SCOPE).token)
        assert claims["xms_mirid"].endswith("/machine")
        token = DefaultAzureCredential(exclude_cli_credential=True).get_token(SCOPE).token
        assert claims_of(token)["oid"] == claims["oid"]
    named = from_machine(sign_in, client_id=claims["appid"])
    assert named.json()["client_id"] == claims["appid"]
    other = from_machine(sign_in, client_id="00000000-0000-0000-0000-000000000000")
    assert other.status_code == 400
    assert "Identity not found" in other.json()["error_description"]


def test_managed_identity_as_on_azure_arc(sign_in: SignIn) -> None:
    """Who can read the challenge's file gets a token; each challenge is good once."""
    asked = {"api-version": "2020-06-01", "resource": RESOURCE}
    first = sign_in.ask("GET", IMDS, params=asked, headers={"Metadata": "true"})
    assert first.status_code == 401
    file = Path(first.headers["www-authenticate"].removeprefix("Basic realm="))
    assert not file.stat().st_mode & 0o007
    headers = {"Metadata": "true", "Authorization": f"Basic {file.read_text()}"}
    answer = sign_in.ask("GET", IMDS, params=asked, headers=headers)
    assert claims_of(answer.json()["access_token"])["xms_mirid"].endswith("/machine")
    assert not file.exists()
    again = sign_in.ask("GET", IMDS, params=asked, headers=headers)
    assert again.status_code == 401
    variables = {"IDENTITY_ENDPOINT": sign_in.url + IMDS, "IMDS_ENDPOINT": sign_in.url}
    places = "msal.managed_identity._supported_arc_platforms_and_their_prefixes"
    with sign_in.environment(**variables), mock.patch.dict(places, {"linux": str(file.parent)}):
        claims = claims_of(ManagedIdentityCredential().get_token(SCOPE).token)
    assert claims["xms_mirid"].endswith("/machine")


@pytest.mark.parametrize(
    ("path", "headers", "status", "said"),
    [
        (IMDS, {}, 400, "Metadata: true"),
        (IMDS, {"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}, 403, "calls directly"),
        ("/msi/token", {}, 401, "X-IDENTITY-HEADER"),
        ("/msi/token", {"X-IDENTITY-HEADER": "wrong"}, 403, "[managed_identities.NAME]"),
    ],
)
def test_callers_that_are_bound_to_nothing_are_told_why(
    sign_in: SignIn, path: str, headers: dict[str, str], status: int, said: str
) -> None:
    """No token; the refusal says what would have to change."""
    version = "2019-08-01" if "msi" in path else "2018-02-01"
    query = {"api-version": version, "resource": RESOURCE}
    answer = sign_in.ask("GET", path, params=query, headers=headers)
    assert answer.status_code == status
    assert said in answer.json()["error_description"]


def test_default_credential_by_environment(sign_in: SignIn, app: App) -> None:
    """DefaultAzureCredential, with what an administrator puts into the environment."""
    variables = {
        "AZURE_TENANT_ID": sign_in.tenant,
        "AZURE_CLIENT_ID": app.app_id,
        "AZURE_CLIENT_SECRET": app.secret,
        "AZURE_AUTHORITY_HOST": sign_in.url,
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }
    with sign_in.environment(**variables):
        credential = DefaultAzureCredential(disable_instance_discovery=True)
        assert claims_of(credential.get_token(SCOPE).token)["oid"] == app.principal_id
