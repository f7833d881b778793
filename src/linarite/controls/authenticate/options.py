"""What settings say about access tokens and about those who give them out."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]

NAME_CLAIMS = (
    *("upn", "preferred_username", "unique_name", "email"),  # of people
    *("appid", "azp", "client_id", "sub"),
)


class Tokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How access tokens are taken, whoever gave them out."""

    audiences: Annotated[
        list[str],
        Meta(
            description="What `aud` may be on the data plane, beside Azure's "
            "https://cognitiveservices.azure.com and https://ai.azure.com."
        ),
    ] = []
    management_audiences: Annotated[
        list[str],
        Meta(
            description="What `aud` may be on the control plane, beside this server's own address, "
            "https://management.azure.com and https://management.core.windows.net."
        ),
    ] = []
    clock_skew_s: Annotated[
        float,
        Meta(description="Seconds that an issuer's clock may be off.", ge=0, le=300),
    ] = 60.0
    bytes_max: Annotated[
        int, Meta(description="The longest token that is looked at.", ge=1024, le=65_536)
    ] = 16_384
    remembered_max: Annotated[
        int,
        Meta(
            description="Verified tokens that are remembered, so that they cost next to nothing "
            "when they come again; as many refused ones.",
            ge=0,
            le=1_000_000,
        ),
    ] = 10_000


class IssuerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody whose access tokens are taken."""

    issuer: Annotated[
        str,
        Meta(
            description="What tokens name as `iss`, to the letter. `{tenantid}` in it stands for "
            "the token's `tid`, which must be one of allowed_tenants.",
            min_length=1,
            max_length=500,
        ),
    ]
    discovery_url: Annotated[
        str,
        Meta(
            description="Its OpenID configuration. Empty: the issuer, and then "
            "/.well-known/openid-configuration."
        ),
    ] = ""
    key_set_url: Annotated[
        str, Meta(description="Its keys (JSON Web Key Set), where there is no discovery.")
    ] = ""
    key_set_file: Annotated[
        str, Meta(description="A file with its keys instead: nothing is fetched.")
    ] = ""
    algorithms: Annotated[
        list[Algorithm],
        Meta(description="How its tokens may be signed; no other way is taken.", min_length=1),
    ] = msgspec.field(default_factory=lambda: ["RS256"])
    audiences: Annotated[
        list[str],
        Meta(
            description="What `aud` must be in its tokens for the data plane, instead of what "
            "tokens.audiences says."
        ),
    ] = []
    management_audiences: Annotated[
        list[str],
        Meta(description="The same for the control plane."),
    ] = []
    allowed_tenants: Annotated[
        list[str],
        Meta(description="Which `tid` its tokens may have. Empty: any, or none."),
    ] = []
    object_id_claims: Annotated[
        list[str],
        Meta(
            description="The claim that roles are assigned to: the first of these that is there. "
            "What is no GUID becomes one, made of the issuer and the claim.",
            min_length=1,
        ),
    ] = msgspec.field(default_factory=lambda: ["oid", "sub"])
    object_ids: Annotated[
        Literal["as_claimed", "derived"],
        Meta(
            description="derived: even GUIDs are made of the issuer and the claim, so that this "
            "issuer can never name the id of another one's user."
        ),
    ] = "as_claimed"
    name_claims: Annotated[
        list[str],
        Meta(description="The claim that logs show: the first of these that is there."),
    ] = msgspec.field(default_factory=lambda: list(NAME_CLAIMS))
    groups_claim: Annotated[str, Meta(description="The claim that lists groups.")] = "groups"
    kind: Annotated[
        Literal["auto", "User", "ServicePrincipal"],
        Meta(
            description="Whose tokens they are; auto: a user's if `idtyp`, `scp`, `upn` or the "
            "like say so."
        ),
    ] = "auto"
    ca_file: Annotated[
        str, Meta(description="PEM file with the authorities to trust instead of the system's.")
    ] = ""
    token_file: Annotated[
        str,
        Meta(
            description="A file with a token to show when keys are fetched, as Kubernetes wants it."
        ),
    ] = ""
    refresh_s: Annotated[
        float, Meta(description="Seconds between two looks at its keys.", ge=10, le=86_400)
    ] = 3600.0
    stale_s: Annotated[
        float,
        Meta(
            description="Seconds that keys hold when they can't be fetched again.",
            ge=60,
            le=2_592_000,
        ),
    ] = 86_400.0
