"""`linarite account …`: accounts, each with endpoint, keys and deployments of its own."""

from __future__ import annotations

import typer

from linarite.cli.account.create import Create, create
from linarite.cli.account.delete import delete
from linarite.cli.account.deleted import list_deleted, purge, recover, show_deleted
from linarite.cli.account.flags import NamedFlags
from linarite.cli.account.keys import KeyFlags, list_keys, regenerate
from linarite.cli.account.list import list_accounts
from linarite.cli.account.offers import list_models, list_skus, list_usage
from linarite.cli.account.show import show
from linarite.cli.account.update import Update, update
from linarite.cli.arm.flags import GroupFlags, OutputFlags, command
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("Which accounts are there?", "linarite account list"),
    ("Give a team an endpoint of its own:", "linarite account create team-a"),
    ("And its keys:", "linarite account keys list team-a"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="account",
        help="Accounts: list, show, create, update, delete; their keys, models, quotas.",
        no_args_is_help=True,
    )
    _add_life(app)
    _add_offers(app)
    _add_deleted(app)
    _add_keys(app)
    root.add_typer(app, epilog=EXAMPLES)


def _add_life(app: typer.Typer) -> None:
    command(
        app,
        "list",
        list_accounts,
        GroupFlags,
        OutputFlags,
        epilog=examples(
            ("All of them:", "linarite account list"),
            ("Those of a resource group, as JSON:", "linarite account list -g linarite -o json"),
        ),
    )
    command(
        app,
        "show",
        show,
        NamedFlags,
        OutputFlags,
        epilog=examples(
            ("The one that settings declare:", "linarite account show"),
            ("Another one, with every property:", "linarite account show team-a -o yaml"),
        ),
    )
    command(
        app,
        "create",
        create,
        NamedFlags,
        Create,
        OutputFlags,
        epilog=examples(
            ("With everything left to the server:", "linarite account create team-a"),
            (
                "As az has it:",
                "linarite account create -n team-b -g linarite --kind OpenAI --sku S0 -l local",
            ),
        ),
    )
    command(
        app,
        "update",
        update,
        NamedFlags,
        Update,
        OutputFlags,
        epilog=examples(
            ("Label it:", "linarite account update team-a --tags team=search"),
            (
                "Let no key open it any more:",
                "linarite account update team-a --set properties.disableLocalAuth=true",
            ),
        ),
    )
    command(
        app,
        "delete",
        delete,
        NamedFlags,
        epilog=examples(("With all its deployments:", "linarite account delete team-a")),
    )


def _add_offers(app: typer.Typer) -> None:
    command(
        app,
        "list-models",
        list_models,
        NamedFlags,
        OutputFlags,
        epilog=examples(("What may it deploy?", "linarite account list-models team-a")),
    )
    command(
        app,
        "list-usage",
        list_usage,
        NamedFlags,
        OutputFlags,
        epilog=examples(("What does it use of which quota?", "linarite account list-usage")),
    )
    command(
        app,
        "list-skus",
        list_skus,
        NamedFlags,
        OutputFlags,
        epilog=examples(("Which SKUs may it have?", "linarite account list-skus")),
    )


def _add_deleted(app: typer.Typer) -> None:
    command(
        app,
        "list-deleted",
        list_deleted,
        OutputFlags,
        epilog=examples(("What can be brought back?", "linarite account list-deleted")),
    )
    command(
        app,
        "show-deleted",
        show_deleted,
        NamedFlags,
        OutputFlags,
        epilog=examples(("Until when?", "linarite account show-deleted team-a")),
    )
    command(
        app,
        "recover",
        recover,
        NamedFlags,
        OutputFlags,
        epilog=examples(("Bring it back:", "linarite account recover team-a")),
    )
    command(
        app,
        "purge",
        purge,
        NamedFlags,
        epilog=examples(("Destroy it before its time:", "linarite account purge team-a")),
    )


def _add_keys(app: typer.Typer) -> None:
    keys = typer.Typer(
        name="keys", help="Keys of an account: list, regenerate.", no_args_is_help=True
    )
    command(
        keys,
        "list",
        list_keys,
        NamedFlags,
        OutputFlags,
        epilog=examples(
            ("Both keys:", "linarite account keys list team-a"),
            ("For a program:", "linarite account keys list -n team-a -o json"),
        ),
    )
    command(
        keys,
        "regenerate",
        regenerate,
        NamedFlags,
        KeyFlags,
        OutputFlags,
        epilog=examples(
            (
                "Move clients to key2, then replace key1:",
                "linarite account keys regenerate team-a --key-name key1",
            ),
        ),
    )
    app.add_typer(
        keys, epilog=examples(("What does it open with?", "linarite account keys list team-a"))
    )
