"""azure-identity's credentials get tokens over TLS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, EnvironmentCredential

from tests.contract.identity.conftest import RESOURCE, SCOPE, claims_of

if TYPE_CHECKING:
    from tests.contract.identity.conftest import App, SignIn


def test_a_secret_gets_a_token(sign_in: SignIn, app: App) -> None:
    """ClientSecretCredential, told not to ask Microsoft who is a cloud."""
    with sign_in.environment():
        credential = ClientSecretCredential(
            sign_in.tenant,
            app.app_id,
            app.secret,
            authority=sign_in.host,
            disable_instance_discovery=True,
        )
        claims = claims_of(credential.get_token(SCOPE).token)
    assert claims["aud"] == RESOURCE
    assert claims["oid"] == claims["sub"] == app.principal_id
    assert claims["azp"] == app.app_id
    assert claims["tid"] == sign_in.tenant
    assert claims["idtyp"] == "app"
    assert claims["ver"] == "2.0"
    assert claims["iss"].endswith(f"/{sign_in.tenant}/v2.0")


def test_the_tenant_adfs_needs_no_flag(sign_in: SignIn, app: App) -> None:
    """EnvironmentCredential, by variables alone."""
    variables = {
        "AZURE_TENANT_ID": "adfs",
        "AZURE_CLIENT_ID": app.app_id,
        "AZURE_CLIENT_SECRET": app.secret,
        "AZURE_AUTHORITY_HOST": sign_in.url,
    }
    with sign_in.environment(**variables):
        claims = claims_of(EnvironmentCredential().get_token(SCOPE).token)
    assert claims["oid"] == app.principal_id


def test_the_log_tells_of_sign_ins_and_of_nothing_that_was_presented(
    sign_in: SignIn, app: App
) -> None:
    """A refusal with its number, whoever and whatever was named with it left out."""
    sign_in.token(
        grant_type="client_credentials",
        client_id=app.app_id,
        client_secret="a-wrong-secret-of-the-log-test",
        scope=SCOPE,
    )
    sign_in.token(
        grant_type="client_credentials",
        client_id="no-guid-of-the-log-test",
        client_secret="x",
        scope=SCOPE,
    )
    said = sign_in.server.said.splitlines()
    told = [json.loads(line) for line in said if '"event":"sign-in refused"' in line]
    mine = [line for line in told if line.get("client_id") == app.app_id]
    assert 7000215 in [line["aadsts"] for line in mine]
    assert all("fields_dropped" not in line for line in told)
    assert 700016 in [line["aadsts"] for line in told]
    assert "of-the-log-test" not in sign_in.server.said


def test_a_wrong_secret_is_told_in_entras_words(sign_in: SignIn, app: App) -> None:
    """The client raises with the code that people look up."""
    with sign_in.environment():
        credential = ClientSecretCredential(
            sign_in.tenant,
            app.app_id,
            "wrong",
            authority=sign_in.host,
            disable_instance_discovery=True,
        )
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            credential.get_token(SCOPE)
