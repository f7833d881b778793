"""Azure Resource Manager of a server in a bed, called from the server's own host."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.netbed.client import Client

if TYPE_CHECKING:
    from linarite.cli.netbed.namespaces import Bed
    from tests.netbed.client import Told
    from tests.serving import Server

API_VERSION = "2025-09-01"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
ACCOUNTS = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts"
ENDS_S = 30.0
CAPACITY = 10_000
"""far more than the tests of a module ask for: how rates act is shown elsewhere"""


class Management:
    """The owner of the accounts, at work."""

    def __init__(self, bed: Bed, server: Server) -> None:
        self._client = Client(bed, "server")
        self._endpoint = server.endpoint
        self._key = str(server.ready["management_key"])

    def close(self) -> None:
        """End the client."""
        self._client.close()

    def call(
        self, method: str, path: str, body: object = None, api_version: str = API_VERSION
    ) -> Told:
        """One call, as it is answered."""
        url = f"{self._endpoint}{path}?api-version={api_version}"
        return self._client.http(method, url, body, authorization=f"Bearer {self._key}")

    def put(self, path: str, body: object, api_version: str = API_VERSION) -> dict[str, Any]:
        """Make or change a resource; returns the operation, or the resource, as it ended."""
        return self._ended(self.call("PUT", path, body, api_version))

    def account(self, name: str, location: str, **properties: object) -> str:
        """Make or change an account; returns its first key."""
        body = {
            "location": location,
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": name, **properties},
        }
        self.put(f"{ACCOUNTS}/{name}", body)
        keys = self.call("POST", f"{ACCOUNTS}/{name}/listKeys")
        assert keys.status == 200, keys
        return str(keys.body["key1"])

    def deploy(self, account: str, name: str, model: str, sku: str) -> dict[str, Any]:
        """Make a deployment; returns the operation as it ended, whatever its end."""
        body = {
            "sku": {"name": sku, "capacity": CAPACITY},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        return self.put(f"{ACCOUNTS}/{account}/deployments/{name}", body)

    def _ended(self, answer: Told) -> dict[str, Any]:
        assert answer.status in {200, 201, 202}, answer
        operation = answer.headers.get("azure-asyncoperation")
        if operation is None:
            return dict(answer.body)
        deadline = time.monotonic() + ENDS_S
        while time.monotonic() < deadline:
            path, _, query = operation.partition("/subscriptions")[2].partition("?")
            told = self._client.http(
                "GET",
                f"{self._endpoint}/subscriptions{path}?{query}",
                authorization=f"Bearer {self._key}",
            )
            if told.body["status"] not in {"InProgress", "Running", "Accepted", "Creating"}:
                return dict(told.body)
            time.sleep(0.05)
        raise AssertionError(f"not ended after {ENDS_S:g} s: {answer}")
