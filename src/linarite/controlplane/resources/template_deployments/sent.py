"""What a client sends to deploy, to validate or to ask what would change."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.templates.plan import parameter_values
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.relaxed_json import read
from linarite.controlplane.wire import UNREADABLE, as_object, read_json
from linarite.domain.arm_errors import bad_request, content_invalid

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value

MODE = "Incremental"


class Sent(msgspec.Struct, frozen=True):
    """A template with its parameters, as it is to be deployed."""

    template: dict[str, Any]
    parameters: dict[str, Any] = {}
    """name → value"""
    location: str | None = None
    """of a deployment at a subscription"""
    tags: dict[str, str] | None = None
    result_format: str = "FullResourcePayloads"
    """of what-if"""

    @property
    def template_hash(self) -> str:
        """The same digits for the same template."""
        digest = hashlib.sha256(msgspec.json.encode(self.template, order="sorted")).digest()
        return str(int.from_bytes(digest[:8], "big"))


def read_sent(body: bytes) -> Sent:
    """The request's body. Raises ArmError with what is wrong."""
    whole = as_object(read_json(body, read))
    properties = _object(whole, "properties")
    _require_mode(properties)
    what_if = _object(properties, "whatIfSettings")
    tags, location = whole.get("tags"), whole.get("location")
    return Sent(
        template=_template(properties),
        parameters=_parameters(properties),
        location=location if isinstance(location, str) else None,
        tags=_object(whole, "tags") if tags is not None else None,
        result_format=str(what_if.get("resultFormat") or "FullResourcePayloads"),
    )


def _require_mode(properties: dict[str, Any]) -> None:
    mode = str(properties.get("mode") or MODE)
    if mode.lower() != MODE.lower():
        raise bad_request(
            "InvalidDeploymentMode",
            f"The deployment mode '{mode[:40]}' is not supported here: use '{MODE}'. Delete what a "
            "template no longer names by itself, or with its resource group.",
            target="properties.mode",
        )


def _template(properties: dict[str, Any]) -> dict[str, Any]:
    for link in ("templateLink", "parametersLink"):
        if properties.get(link):
            raise bad_request(
                "TemplateLinkNotSupported",
                f"'{link}' is not supported here: nothing is fetched from outside. Send the "
                "template and its parameters inline.",
                target=f"properties.{link}",
            )
    template = properties.get("template")
    if isinstance(template, str):
        template = _decoded(template)
    if not isinstance(template, dict):
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid: 'properties.template' must be a JSON object.",
            target="properties.template",
        )
    return cast("dict[str, Any]", template)


def _decoded(template: str) -> object:
    try:
        return read(template.encode())
    except UNREADABLE:
        return None


def _parameters(properties: dict[str, Any]) -> dict[str, Any]:
    """Name → value; a whole parameter file is taken as well."""
    given = _object(properties, "parameters")
    if "contentVersion" in given and isinstance(given.get("parameters"), dict):
        given = _object(given, "parameters")
    try:
        return cast("dict[str, Any]", parameter_values(cast("dict[str, Value]", given)))
    except ExpressionFailed as reason:
        raise bad_request(
            "InvalidDeploymentParameterValue", str(reason), target="properties.parameters"
        ) from None


def _object(whole: dict[str, Any], name: str) -> dict[str, Any]:
    found = whole.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise content_invalid(
            f"The request content was invalid: '{name}' must be a JSON object.", target=name
        )
    return cast("dict[str, Any]", found)
