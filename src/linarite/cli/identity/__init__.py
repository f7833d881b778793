"""`linarite identity …`: the server's own directory, for those without an identity provider."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.identity import app as apps
from linarite.cli.identity import people
from linarite.cli.identity.flags import (
    AppNamed,
    GroupNamed,
    MemberFlags,
    PasswordFlags,
    PrincipalNamed,
    UserNamed,
)

EXAMPLES = examples(
    ("Let a program sign in:", "linarite identity app create my-service"),
    ("And a person:", "linarite identity user create ada@example.org"),
    ("Who may be given a role?", "linarite identity principal list"),
)
BASE = "linarite identity"


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    identity = typer.Typer(
        name="identity",
        help="Who may sign in: applications, users, groups, managed identities.",
        no_args_is_help=True,
    )
    identity.add_typer(_apps(), epilog=_said("app list"))
    identity.add_typer(_users(), epilog=_said("user list"))
    identity.add_typer(_groups(), epilog=_said("group list"))
    identity.add_typer(_principals(), epilog=_said("principal list"))
    command(identity, "tenant", people.tenant, epilog=_said("tenant"))
    command(identity, "rotate-keys", people.rotate_keys, epilog=_said("rotate-keys"))
    root.add_typer(identity, epilog=EXAMPLES)


def _said(*lines: str) -> str:
    return examples(*(("Like this:", f"{BASE} {line}") for line in lines))


def _apps() -> typer.Typer:
    app = typer.Typer(
        name="app",
        help="Applications: create, list, show, update, delete; secrets, certificates.",
        no_args_is_help=True,
    )
    command(
        app,
        "create",
        apps.create,
        apps.Create,
        OutputFlags,
        epilog=_said(
            "app create my-service",
            "app create my-tool --public-client --redirect-uri http://localhost",
        ),
    )
    command(app, "list", apps.list_apps, OutputFlags, epilog=_said("app list -o json"))
    command(app, "show", apps.show, AppNamed, OutputFlags, epilog=_said("app show my-service"))
    command(
        app,
        "update",
        apps.update,
        AppNamed,
        apps.Change,
        OutputFlags,
        epilog=_said("app update my-service --identifier-uri api://my-service"),
    )
    command(app, "delete", apps.delete, AppNamed, epilog=_said("app delete my-service"))
    app.add_typer(_secrets(), epilog=_said("app secret list my-service"))
    app.add_typer(_certificates(), epilog=_said("app certificate list my-service"))
    app.add_typer(_federated(), epilog=_said("app federated list my-service"))
    return app


def _secrets() -> typer.Typer:
    secret = typer.Typer(
        name="secret", help="Client secrets: add, list, remove.", no_args_is_help=True
    )
    command(
        secret,
        "add",
        apps.add_secret,
        AppNamed,
        apps.SecretFlags,
        OutputFlags,
        epilog=_said("app secret add my-service", "app secret add my-service --days 30 -o json"),
    )
    command(
        secret,
        "list",
        apps.list_secrets,
        AppNamed,
        OutputFlags,
        epilog=_said("app secret list my-service"),
    )
    command(
        secret,
        "remove",
        apps.remove_secret,
        AppNamed,
        apps.KeyFlags,
        epilog=_said("app secret remove my-service 3f0c…"),
    )
    return secret


def _certificates() -> typer.Typer:
    certificate = typer.Typer(
        name="certificate", help="Certificates of an application: add, list.", no_args_is_help=True
    )
    command(
        certificate,
        "add",
        apps.add_certificate,
        AppNamed,
        apps.CertificateFlags,
        OutputFlags,
        epilog=_said("app certificate add my-service certificate.pem"),
    )
    command(
        certificate,
        "list",
        apps.list_certificates,
        AppNamed,
        OutputFlags,
        epilog=_said("app certificate list my-service"),
    )
    return certificate


def _federated() -> typer.Typer:
    federated = typer.Typer(
        name="federated", help="Other issuers whose tokens are taken.", no_args_is_help=True
    )
    command(
        federated,
        "add",
        apps.add_federated,
        AppNamed,
        apps.FederatedFlags,
        OutputFlags,
        epilog=_said(
            "app federated add my-service --name ci --issuer https://issuer.example "
            "--subject repo:me/mine:ref:refs/heads/main"
        ),
    )
    command(
        federated,
        "list",
        apps.list_federated,
        AppNamed,
        OutputFlags,
        epilog=_said("app federated list my-service"),
    )
    return federated


def _users() -> typer.Typer:
    user = typer.Typer(
        name="user", help="Users: create, list, show, update, delete.", no_args_is_help=True
    )
    command(
        user,
        "create",
        people.create_user,
        people.CreateUser,
        PasswordFlags,
        OutputFlags,
        epilog=_said("user create ada@example.org", "user create ada@example.org --name Ada"),
    )
    command(user, "list", people.list_users, OutputFlags, epilog=_said("user list"))
    command(
        user,
        "show",
        people.show_user,
        UserNamed,
        OutputFlags,
        epilog=_said("user show ada@example.org"),
    )
    command(
        user,
        "update",
        people.update_user,
        UserNamed,
        people.EnabledFlags,
        OutputFlags,
        epilog=_said("user update ada@example.org --disable"),
    )
    command(
        user,
        "reset-password",
        people.reset_password,
        UserNamed,
        PasswordFlags,
        epilog=_said("user reset-password ada@example.org"),
    )
    command(
        user, "delete", people.delete_user, UserNamed, epilog=_said("user delete ada@example.org")
    )
    return user


def _groups() -> typer.Typer:
    group = typer.Typer(
        name="group", help="Groups: create, list, show, delete; members.", no_args_is_help=True
    )
    command(
        group,
        "create",
        people.create_group,
        people.CreateGroup,
        OutputFlags,
        epilog=_said("group create search-team"),
    )
    command(group, "list", people.list_groups, OutputFlags, epilog=_said("group list"))
    command(
        group,
        "show",
        people.show_group,
        GroupNamed,
        OutputFlags,
        epilog=_said("group show search-team"),
    )
    command(
        group, "delete", people.delete_group, GroupNamed, epilog=_said("group delete search-team")
    )
    member = typer.Typer(
        name="member", help="Who is in a group: add, list, remove.", no_args_is_help=True
    )
    command(
        member,
        "add",
        people.add_member,
        GroupNamed,
        MemberFlags,
        epilog=_said("group member add search-team ada@example.org"),
    )
    command(
        member,
        "list",
        people.list_members,
        GroupNamed,
        OutputFlags,
        epilog=_said("group member list search-team"),
    )
    command(
        member,
        "remove",
        people.remove_member,
        GroupNamed,
        MemberFlags,
        epilog=_said("group member remove search-team ada@example.org"),
    )
    group.add_typer(member, epilog=_said("group member list search-team"))
    return group


def _principals() -> typer.Typer:
    principal = typer.Typer(
        name="principal",
        help="Service principals, managed identities too: list, show, update.",
        no_args_is_help=True,
    )
    command(
        principal,
        "list",
        people.list_principals,
        OutputFlags,
        epilog=_said("principal list"),
    )
    command(
        principal,
        "show",
        people.show_principal,
        PrincipalNamed,
        OutputFlags,
        epilog=_said("principal show my-service"),
    )
    command(
        principal,
        "update",
        people.update_principal,
        PrincipalNamed,
        people.EnabledFlags,
        OutputFlags,
        epilog=_said("principal update my-service --disable"),
    )
    return principal
