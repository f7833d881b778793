"""The only reader of the environment and of `linarite.toml`.

Every setting has a default that works, a description, and a check whose message names the key and
the fix. `load` composes them from three places, later ones winning: defaults, the file, the
environment (`LINARITE_<SECTION>_<KEY>`). No module below this one reads a global setting: it is
handed its own section.
"""

from __future__ import annotations

import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controls.authenticate.options import IssuerSettings
from linarite.controls.network.options import NetworkSettings
from linarite.controls.usage_limits.options import UsageLimitSettings
from linarite.diagnostics.options import SinkSettings
from linarite.domain.errors import SetupError
from linarite.domain.target import is_loopback
from linarite.hosting.options import DeploymentSettings, InstanceSettings
from linarite.hosting.regions import RegionSettings
from linarite.setting_rows import Row, advice, page_of, rows_of, variable_of
from linarite.setting_tree import Settings, check
from linarite.signin.options import BoundIdentity
from linarite.storage.options import KeyVaultSettings
from linarite.telemetry.price_options import ModelPriceSettings
from linarite.web.binding import UNIX_PREFIX
from linarite.web.options import (
    CertificateSettings,
    ClientCertificateSettings,
    ListenerSettings,
)
from linarite.webhooks.options import WebhookSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_FILE = "linarite.toml"
HIDDEN = frozenset(
    (
        "egress.proxy_credentials",
        "models.hub_token",
        "models.index_credentials",
        "models.registries",
        "otlp.headers",
        "quota.ledger_password",
    )
)
"""keys whose values are shown to nobody"""
SERVICE_LINK = re.compile(
    r"LINARITE\w*_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)"
)


ROWS: dict[str, type[msgspec.Struct]] = {
    "[[deployments]]": DeploymentSettings,
    "[[usage_limits]]": UsageLimitSettings,
    "[instances.NAME]": InstanceSettings,
    "[[prices.models]]": ModelPriceSettings,
    "[issuers.NAME]": IssuerSettings,
    "[regions.NAME]": RegionSettings,
    "[listeners.NAME]": ListenerSettings,
    "[certificates.NAME]": CertificateSettings,
    "[client_certificates.NAME]": ClientCertificateSettings,
    "[networks.NAME]": NetworkSettings,
    "[managed_identities.NAME]": BoundIdentity,
    "[webhooks.NAME]": WebhookSettings,
    "[diagnostic_sinks.NAME]": SinkSettings,
    "[key_vaults.NAME]": KeyVaultSettings,
}
"""what stands in the file several times, as it is headed there, in the page's order"""


class Loaded(msgspec.Struct, frozen=True):
    """Settings with where they came from."""

    settings: Settings
    home: Path
    file: Path | None
    origins: dict[str, str]
    """dotted key → `file` or `environment NAME`; absent means default"""
    master_key: bytes | None
    """from LINARITE_MASTER_KEY; None means the file in `home`"""

    def __repr__(self) -> str:
        """Hide the master key."""
        return f"Loaded(home={self.home}, file={self.file})"


def load(file: Path | None = None, overrides: Mapping[str, object] | None = None) -> Loaded:
    """Read settings. `overrides` are dotted keys from the command line, which win over all.

    Raises SetupError naming the key and what to change.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("LINARITE_") and not is_service_link(name, value)
    }
    chosen = _config_file(file, environment)
    tree = _read_file(chosen)
    origins = dict.fromkeys(_leaves(tree), "file")
    for name, value in sorted(environment.items()):
        _apply_environment(tree, origins, name, value)
    for key, value in (overrides or {}).items():
        _put(tree, key, value)
        origins[key] = "command line"
    settings = _convert(_with_secrets(tree), origins)
    check(settings)
    return Loaded(
        settings=settings,
        home=Path(settings.home or _default_home()).expanduser().absolute(),
        file=chosen,
        origins=origins,
        master_key=_master_key(environment),
    )


def variable(name: str) -> str | None:
    """An environment variable that a person named on the command line (`--key env:NAME`)."""
    return os.environ.get(name)


def persons_environment() -> dict[str, str]:
    """All of it but our own settings: for tools that do what the person configured them to do."""
    return {name: text for name, text in os.environ.items() if not name.startswith("LINARITE_")}


def is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes has set a variable for a service that happens to be named like us."""
    return SERVICE_LINK.fullmatch(name) is not None or (
        name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )


def open_pages(settings: Settings) -> bool:
    """Whether readiness and metrics may be read without a key."""
    wanted = settings.server.open_pages
    addresses = [settings.server.host, *(each.address for each in settings.listeners.values())]
    return wanted == "always" or (
        wanted == "auto"
        and all(is_loopback(each) or each.startswith(UNIX_PREFIX) for each in addresses)
    )


def _config_file(given: Path | None, environment: dict[str, str]) -> Path | None:
    told = environment.get("LINARITE_CONFIG")
    named = given or (Path(told) if told else None)
    if named is not None:
        if not named.is_file():
            raise SetupError(
                f"The settings file {named} does not exist. Change --config or LINARITE_CONFIG, "
                "or make the file: an empty one is enough."
            )
        return named
    for candidate in (Path.cwd() / CONFIG_FILE, _default_home() / CONFIG_FILE):
        if candidate.is_file():
            return candidate
    return None


def _default_home() -> Path:
    if home := os.environ.get("LINARITE_HOME"):
        return Path(home)
    if data := os.environ.get("XDG_DATA_HOME"):
        return Path(data) / "linarite"
    return Path.home() / ".local" / "share" / "linarite"


def _read_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise SetupError(f"{file} is not valid TOML: {problem}. Correct that line.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SetupError(
            f"{file} can't be read: {problem}. It must be a UTF-8 text that this user may read."
        ) from None


SPECIAL_VARIABLES = frozenset(("LINARITE_CONFIG", "LINARITE_MASTER_KEY"))


def _apply_environment(
    tree: dict[str, Any], origins: dict[str, str], name: str, value: str
) -> None:
    if name in SPECIAL_VARIABLES:
        return
    key = "models.minimal" if name == "LINARITE_MINIMAL" else variables().get(name)
    if key is None:
        raise SetupError(
            f"The environment variable {name} names no setting. `linarite settings` lists them; a "
            "variable is LINARITE_<SECTION>_<KEY>, for example LINARITE_SERVER_PORT."
        )
    _put(tree, key, value)
    origins[key] = f"environment {name}"


def _put(tree: dict[str, Any], key: str, value: Any) -> None:  # noqa: ANN401 - TOML's types
    *sections, last = key.split(".")
    for section in sections:
        inner = tree.setdefault(section, {})
        if not isinstance(inner, dict):
            raise SetupError(f"{section} is a section: write [{section}] and its keys below it.")
        tree = cast("dict[str, Any]", inner)
    tree[last] = value


@cache
def variables() -> Mapping[str, str]:
    """Environment variable → the key it sets. Lists and tables can only be set in the file."""
    return {variable_of(row.key): row.key for row in reference() if row.settable}


def _with_secrets(tree: dict[str, Any]) -> dict[str, Any]:
    """Replace `env:NAME` where secrets are set: they need not stand in the file."""
    for section in ("egress", "models", "otlp", "quota"):
        _reveal(section, _table(tree.get(section)))
    for name, instance in _table(tree.get("instances")).items():
        _reveal(f"instances.{name}.options", _table(_table(instance).get("options")))
    for name, bound in _table(tree.get("managed_identities")).items():
        _reveal(f"managed_identities.{name}", _table(bound))
    for section in ("diagnostic_sinks", "webhooks", "search_services"):
        for name, declared in _table(tree.get(section)).items():
            _reveal(f"{section}.{name}", _table(declared))
    return tree


def _reveal(place: str, options: dict[str, Any]) -> None:
    for key, value in options.items():
        if isinstance(value, str) and value.startswith("env:"):
            options[key] = _secret(f"{place}.{key}", value[4:])
        else:
            # An engine that wraps another has that one's options in a table of its own.
            _reveal(f"{place}.{key}", _table(value))


def _table(value: object) -> dict[str, Any]:
    """A TOML table, or an empty one where the file holds something else: `_convert` complains."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _secret(key: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise SetupError(f"{key} is 'env:{variable}', but the variable {variable} is not set.")
    return value


def _convert(tree: dict[str, Any], origins: dict[str, str]) -> Settings:
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as problem:
        key, text = _place_and_text(problem)
        better = advice(key, text, _all_rows())
        table, row_follows, _ = key.partition("[...]")
        if row_follows and (row := ROWS.get(f"[{table}.NAME]")):
            key, text = _in_which(table, row, _table(tree[table])) or (key, text)
        origin = f" ({origins[key]})" if key in origins else ""
        raise SetupError(
            f"{key or 'the top level'}{origin}: {text}.{better} "
            "`linarite settings --markdown` describes every key."
        ) from None


def _place_and_text(problem: msgspec.ValidationError) -> tuple[str, str]:
    text, _, where = str(problem).partition(" - at `$")
    return where.rstrip("`").lstrip("."), text


def _in_which(
    table: str, row: type[msgspec.Struct], rows: dict[str, Any]
) -> tuple[str, str] | None:
    """The first faulty row by its name, which the decoder of the whole does not tell."""
    for name, said in rows.items():
        try:
            msgspec.convert(said, row, strict=False)
        except msgspec.ValidationError as problem:
            key, text = _place_and_text(problem)
            return f"{table}.{name}.{key}".rstrip("."), text
    return None


def _master_key(environment: dict[str, str]) -> bytes | None:
    text = environment.get("LINARITE_MASTER_KEY")
    if text is None:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:  # noqa: PLR2004 - AES-256
        raise SetupError(
            "LINARITE_MASTER_KEY must be 64 hexadecimal digits (32 bytes). Make one with: "
            "python3 -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return key


def _leaves(tree: dict[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in tree.items():
        key = f"{prefix}{name}"
        inner = _table(value)
        if inner and not key.startswith("instances."):
            keys += _leaves(inner, key + ".")
        else:
            keys.append(key)
    return keys


def reference() -> list[Row]:
    """Every setting, in the order of the file."""
    return rows_of(Settings)


def _all_rows() -> list[Row]:
    """Every setting and every key of the tables."""
    keyed = {heading.strip("[]").removesuffix(".NAME"): row for heading, row in ROWS.items()}
    return [
        *reference(),
        *(each for key, row in keyed.items() for each in rows_of(row, f"{key}.")),
    ]


def reference_page() -> str:
    """`docs/reference/settings.md`: every key with its default and meaning, made from code."""
    return page_of(rows_of(Settings), {heading: rows_of(row) for heading, row in ROWS.items()})
