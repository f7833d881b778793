"""The table of Graph's paths."""

from __future__ import annotations

from linarite.signin.graph import applications, federation, grants, objects, people
from linarite.signin.graph.auditing import audited
from linarite.signin.graph.collections import deleting, listing, showing
from linarite.signin.graph.credentials import adding_password, removing_password
from linarite.signin.router import Act, Route

BASE = "/v1.0"
FEDERATED = f"{BASE}/applications/{{id}}/federatedIdentityCredentials"


def _collection(name: str, create: Act, update: Act) -> tuple[Route, ...]:
    return (
        Route(f"{BASE}/{name}", {"GET": listing(name), "POST": create}),
        Route(
            f"{BASE}/{name}/{{id}}",
            {"GET": showing(name), "PATCH": update, "DELETE": deleting(name)},
        ),
    )


def _secrets(name: str) -> tuple[Route, ...]:
    return (
        Route(f"{BASE}/{name}/{{id}}/addPassword", {"POST": adding_password(name)}),
        Route(f"{BASE}/{name}/{{id}}/removePassword", {"POST": removing_password(name)}),
    )


def _held(name: str) -> tuple[Route, ...]:
    return (
        Route(
            f"{BASE}/{name}/{{id}}/appRoleAssignments",
            {"GET": grants.listing_grants(name), "POST": grants.adding_grant(name)},
        ),
        Route(
            f"{BASE}/{name}/{{id}}/appRoleAssignments/{{grant}}",
            {"DELETE": grants.removing_grant(name)},
        ),
    )


def _groups(name: str) -> tuple[Route, ...]:
    around = people.groups_around(name)
    ids = people.member_groups(name)
    return (
        Route(f"{BASE}/{name}/{{id}}/memberOf", {"GET": around}),
        Route(f"{BASE}/{name}/{{id}}/transitiveMemberOf", {"GET": around}),
        Route(f"{BASE}/{name}/{{id}}/getMemberGroups", {"POST": ids}),
        Route(f"{BASE}/{name}/{{id}}/checkMemberGroups", {"POST": ids}),
    )


_ROWS: tuple[Route, ...] = (
    *_collection("applications", applications.create_application, applications.update_application),
    *_collection(
        "servicePrincipals",
        applications.create_service_principal,
        applications.update_service_principal,
    ),
    *_collection("users", people.create_user, people.update_user),
    *_collection("groups", people.create_group, people.update_group),
    *_secrets("applications"),
    *_secrets("servicePrincipals"),
    *_held("servicePrincipals"),
    *_held("users"),
    *(route for name in ("users", "groups", "servicePrincipals") for route in _groups(name)),
    Route(FEDERATED, {"GET": federation.list_federated, "POST": federation.add_federated}),
    Route(
        f"{FEDERATED}/{{credential}}",
        {
            "GET": federation.show_federated,
            "PATCH": federation.update_federated,
            "DELETE": federation.remove_federated,
        },
    ),
    Route(f"{BASE}/users/{{id}}/revokeSignInSessions", {"POST": people.revoke_sessions}),
    Route(f"{BASE}/groups/{{id}}/members", {"GET": people.list_members}),
    Route(f"{BASE}/groups/{{id}}/members/$ref", {"POST": people.add_member}),
    Route(f"{BASE}/groups/{{id}}/members/{{member}}/$ref", {"DELETE": people.remove_member}),
    Route(f"{BASE}/directoryObjects/getByIds", {"POST": objects.by_ids}),
    Route(f"{BASE}/directoryObjects/{{id}}", {"GET": objects.by_id}),
    Route(f"{BASE}/signingKeys/rotate", {"POST": objects.rotate_keys}),
    Route(f"{BASE}/me", {"GET": objects.me}),
    Route(f"{BASE}/organization", {"GET": objects.organization}),
)

GRAPH_ROUTES: tuple[Route, ...] = tuple(audited(row) for row in _ROWS)
