"""Bodies that clients send to Graph, checked. What is left out is left as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from linarite.signin.directory.secrets import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN
from linarite.signin.graph.refusals import bad

Sent = TypeVar("Sent", bound=msgspec.Struct)
Text = Annotated[str, Meta(max_length=256)]
LongText = Annotated[str, Meta(max_length=1024)]
Uri = Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^[^\s*#]+$")]
Guid = Annotated[
    str, Meta(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", max_length=36)
]
MANY = 256


class Redirects(msgspec.Struct, frozen=True, rename="camel"):
    """Where a client may be sent back to."""

    redirect_uris: Annotated[list[Uri], Meta(max_length=MANY)] | None = None


class SentRole(msgspec.Struct, frozen=True, rename="camel"):
    """A role of an application."""

    id: Guid
    value: Text | None = None
    display_name: Text = ""
    description: LongText | None = None
    allowed_member_types: tuple[Text, ...] = ("Application", "User")


class SentKey(msgspec.Struct, frozen=True, rename="camel"):
    """A certificate: `key` is its DER (or PEM) in base64; without it, one that is there."""

    key: Annotated[str, Meta(max_length=64 * 1024)] | None = None
    key_id: Guid | None = None
    display_name: Text | None = None


class SentApplication(msgspec.Struct, frozen=True, rename="camel"):
    """An app registration."""

    display_name: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    description: LongText | UnsetType | None = UNSET
    identifier_uris: Annotated[list[Uri], Meta(max_length=MANY)] | UnsetType = UNSET
    is_fallback_public_client: bool | UnsetType | None = UNSET
    web: Redirects | UnsetType | None = UNSET
    spa: Redirects | UnsetType | None = UNSET
    public_client: Redirects | UnsetType | None = UNSET
    app_roles: Annotated[list[SentRole], Meta(max_length=MANY)] | UnsetType = UNSET
    key_credentials: Annotated[list[SentKey], Meta(max_length=MANY)] | UnsetType = UNSET
    tags: Annotated[list[Text], Meta(max_length=MANY)] | UnsetType = UNSET


class SentServicePrincipal(msgspec.Struct, frozen=True, rename="camel"):
    """A service principal."""

    app_id: Guid | UnsetType = UNSET
    display_name: Text | UnsetType = UNSET
    account_enabled: bool | UnsetType = UNSET
    key_credentials: Annotated[list[SentKey], Meta(max_length=MANY)] | UnsetType = UNSET
    tags: Annotated[list[Text], Meta(max_length=MANY)] | UnsetType = UNSET


class SentPassword(msgspec.Struct, frozen=True, rename="camel"):
    """A user's password."""

    password: (
        Annotated[str, Meta(min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX)]
        | None
    ) = None


class SentUser(msgspec.Struct, frozen=True, rename="camel"):
    """A user."""

    user_principal_name: (
        Annotated[str, Meta(pattern=r"^[^\s@'\"<>]{1,64}@[^\s@'\"<>]{1,190}$")] | UnsetType
    ) = UNSET
    display_name: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    given_name: Text | UnsetType | None = UNSET
    surname: Text | UnsetType | None = UNSET
    mail: Text | UnsetType | None = UNSET
    account_enabled: bool | UnsetType = UNSET
    password_profile: SentPassword | UnsetType | None = UNSET


class SentGroup(msgspec.Struct, frozen=True, rename="camel"):
    """A group."""

    display_name: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    description: LongText | UnsetType | None = UNSET
    mail_nickname: Text | UnsetType = UNSET


class SentSecret(msgspec.Struct, frozen=True, rename="camel"):
    """What a new client secret shall be; the text is the server's."""

    display_name: Text | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None


class PasswordWanted(msgspec.Struct, frozen=True, rename="camel"):
    """The body of addPassword."""

    password_credential: SentSecret | None = None


class KeyNamed(msgspec.Struct, frozen=True, rename="camel"):
    """The body of removePassword."""

    key_id: Guid


class SentFederation(msgspec.Struct, frozen=True, rename="camel"):
    """A federated identity credential."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w-]{2,119}$")] | UnsetType = UNSET
    issuer: Uri | UnsetType = UNSET
    subject: Annotated[str, Meta(min_length=1, max_length=600)] | UnsetType = UNSET
    audiences: Annotated[list[Text], Meta(min_length=1, max_length=10)] | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


class Reference(msgspec.Struct, frozen=True):
    """An object, by its address."""

    id: Annotated[str, Meta(max_length=1024)] = msgspec.field(name="@odata.id")


class Ids(msgspec.Struct, frozen=True, rename="camel"):
    """The body of getByIds."""

    ids: Annotated[list[Text], Meta(max_length=1000)]
    types: list[Text] | None = None


class GroupIds(msgspec.Struct, frozen=True, rename="camel"):
    """The body of checkMemberGroups and getMemberGroups."""

    group_ids: Annotated[list[Text], Meta(max_length=1000)] | None = None
    security_enabled_only: bool | None = None


class SentGrant(msgspec.Struct, frozen=True, rename="camel"):
    """An application's role, to be held by somebody."""

    principal_id: Guid
    resource_id: Guid
    app_role_id: Guid


def read(body: object, shape: type[Sent]) -> Sent:
    """A body in its shape. Raises GraphRefused with the property at fault."""
    try:
        return msgspec.convert({} if body is None else body, shape)
    except msgspec.ValidationError as problem:
        text, _, where = str(problem).partition(" - at `$")
        raise bad(f"Invalid value for property '{where.strip('`.') or 'body'}': {text}.") from None


def given(sent: msgspec.Struct, **names: str) -> dict[str, Any]:
    """What of a body was sent, by the names of a record's fields: `record_field="sent_field"`."""
    told = {field: getattr(sent, name) for field, name in names.items()}
    return {field: value for field, value in told.items() if value is not UNSET}
