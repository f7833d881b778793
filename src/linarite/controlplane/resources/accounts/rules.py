"""What an account may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

import msgspec

from linarite.controlplane.fqdn_lists import fqdn_list_problems
from linarite.controlplane.kinds import ACCOUNT_KINDS, ACCOUNT_SKUS
from linarite.controlplane.problems import location_key, location_problems, moved_problems
from linarite.controlplane.resources.accounts.encryption import encryption_problems
from linarite.controlplane.resources.accounts.networks import network_problems
from linarite.controlplane.retired import recovered
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import subscription_of
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.resource import ACCOUNT_TYPE, Resource, domain_of

NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}"
IDENTITIES = ("None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned")


class AccountFacts(msgspec.Struct, frozen=True):
    """What is known when an account is admitted."""

    id: str
    realm: Realm
    domains_taken: dict[str, str]
    """domain in lower case → id of the account that has it, or had it and can be recovered"""
    accounts_max: int
    others_by_location: dict[tuple[str, str], int]
    """subscription and region → other accounts there"""
    deleted: Resource | None
    """an account of this id that was deleted and can be recovered"""
    now: str
    customer_keys: tuple[str, ...] = ()
    """ids of the keys that an account can be sealed with, as `CustomerKeys.known` has them"""
    subnets: frozenset[str] = frozenset()
    """ids, in lower case, of those whose addresses are known"""


def complete(new: Resource, old: Resource | None, facts: AccountFacts) -> Resource:
    """Fill in what Azure fills in; a recovered account is what it was."""
    if old is None and facts.deleted is not None and new.properties.get("restore"):
        was = recovered(facts.deleted)
        new = msgspec.structs.replace(was, properties=was.properties | new.properties)
    properties = dict(new.properties)
    properties.setdefault("publicNetworkAccess", "Enabled")
    if isinstance(properties.get("networkAcls"), dict):
        properties["networkAcls"] = {"defaultAction": "Allow"} | properties["networkAcls"]
    location = location_key(new.location or "")
    properties["provisioningState"] = "Succeeded"
    properties["regionTitle"] = facts.realm.title_of(location)
    if old is None:
        properties.setdefault("dateCreated", facts.now)
    if old is not None and "customSubDomainName" in old.properties:
        properties.setdefault("customSubDomainName", old.properties["customSubDomainName"])
    return msgspec.structs.replace(
        new,
        location=location or None,
        kind=new.kind or (old.kind if old else None),
        sku=new.sku or (old.sku if old else None),
        properties=properties,
    )


def admit(new: Resource, old: Resource | None, facts: AccountFacts) -> list[Problem]:
    """Every problem of the account as it would be."""
    return [
        *location_problems(new.location, facts.realm, ACCOUNT_TYPE),
        *(moved_problems(old.location, new.location, new.name) if old else []),
        *_kind_problems(new),
        *_domain_problems(new, old, facts),
        *network_problems(new.properties, facts.subnets),
        *fqdn_list_problems(new.properties.get("allowedFqdnList"), "properties.allowedFqdnList"),
        *_identity_problems(new),
        *encryption_problems(new.properties, facts.customer_keys),
        *_declared_problems(new, old),
        *_deleted_problems(new, old, facts),
        *_count_problems(new, old, facts),
    ]


def _kind_problems(new: Resource) -> list[Problem]:
    found: list[Problem] = []
    if new.kind not in ACCOUNT_KINDS:
        found.append(
            Problem(
                "InvalidApiSetId",
                f"The account type '{(new.kind or '')[:100]}' is either invalid or unavailable in "
                f"given region. This server has: {', '.join(ACCOUNT_KINDS)}.",
                "kind",
            )
        )
    sku = (new.sku or {}).get("name")
    if sku not in ACCOUNT_SKUS:
        found.append(
            Problem(
                "InvalidSkuId",
                f"The SKU '{str(sku or '')[:100]}' is not available for accounts here; use "
                f"{', '.join(ACCOUNT_SKUS)}.",
                "sku.name",
            )
        )
    return found


def _domain_problems(new: Resource, old: Resource | None, facts: AccountFacts) -> list[Problem]:
    before = old.properties.get("customSubDomainName") if old else None
    after = new.properties.get("customSubDomainName")
    if before and before != after:
        return [
            Problem(
                "CannotChangeCustomDomain",
                f"The subdomain name '{before}' can't be changed or removed once it is set.",
                "properties.customSubDomainName",
            )
        ]
    holder = facts.domains_taken.get(domain_of(new))
    if holder is None or holder.lower() == facts.id.lower():
        return []
    return [
        Problem(
            "CustomDomainInUse",
            f"Please pick a different name. The subdomain name '{domain_of(new)}' is not available "
            "as it's already used by a resource.",
            "properties.customSubDomainName",
            409,
        )
    ]


def _identity_problems(new: Resource) -> list[Problem]:
    kind = (new.identity or {}).get("type", "None")
    if str(kind).replace(" ", "") in {each.replace(" ", "") for each in IDENTITIES}:
        return []
    return [
        Problem(
            "InvalidIdentityType",
            f"The identity type '{str(kind)[:100]}' is not one of {', '.join(IDENTITIES)}.",
            "identity.type",
        )
    ]


def _deleted_problems(new: Resource, old: Resource | None, facts: AccountFacts) -> list[Problem]:
    """A name stays reserved while the account that had it can be recovered."""
    if old is not None:
        return []
    restore = bool(new.properties.get("restore"))
    if restore and facts.deleted is None:
        return [
            Problem(
                "CanNotRestoreANonExistingResource",
                f"There is no deleted account with ID '{facts.id}' to restore; leave out "
                "properties.restore to create a new one.",
                "properties.restore",
            )
        ]
    if restore or facts.deleted is None:
        return []
    return [
        Problem(
            "FlagMustBeSetForRestore",
            f"An existing resource with ID '{facts.id}' has been soft-deleted. To restore the "
            "resource, you must specify 'restore' to be 'true' in the property. If you don't want "
            "to restore existing resource, please purge it first.",
            status=409,
        )
    ]


def _count_problems(new: Resource, old: Resource | None, facts: AccountFacts) -> list[Problem]:
    if old is not None:
        return []
    key = (subscription_of(new.id).lower(), new.location or "")
    if facts.others_by_location.get(key, 0) < facts.accounts_max:
        return []
    return [
        Problem(
            "QuotaExceeded",
            f"There are {facts.accounts_max} accounts in this region already; the setting "
            "quota.accounts_max allows no more.",
        )
    ]


def _declared_problems(new: Resource, old: Resource | None) -> list[Problem]:
    if old is None or not is_declared(old):
        return []
    found: list[Problem] = []
    if (new.kind, (new.sku or {}).get("name")) != (old.kind, (old.sku or {}).get("name")):
        found.append(settled_by_settings(old, "[account]", "kind"))
    return found
