"""`linarite deployment …`: which models are served, under which names."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import AccountFlags, OutputFlags, command
from linarite.cli.deployment.calibrate import Calibrate, calibrate
from linarite.cli.deployment.create import Create, create
from linarite.cli.deployment.delete import delete
from linarite.cli.deployment.flags import DeploymentFlags, WatchFlags
from linarite.cli.deployment.list import list_deployments
from linarite.cli.deployment.show import show
from linarite.cli.deployment.update import Update, update
from linarite.cli.deployment.upgrades import list_upgrades
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("What is served, and in which state?", "linarite deployment list"),
    (
        "Serve a model under a name of your own:",
        "linarite deployment create chat --model qwen2.5-coder-0.5b-instruct --watch",
    ),
)
LIST_EXAMPLES = examples(
    ("Those of the account that settings declare:", "linarite deployment list"),
    ("Those of another account, for a program:", "linarite deployment list -n team-a -o json"),
)
SHOW_EXAMPLES = examples(
    ("Everything about one:", "linarite deployment show chat --output yaml"),
)
CREATE_EXAMPLES = examples(
    (
        "Serve a model, and wait until it answers:",
        """linarite deployment create chat --model qwen2.5-coder-0.5b-instruct \\
  --sku Standard --capacity 1 --watch""",
    ),
    (
        "In another account; az's names of flags work too:",
        """linarite deployment create chat -n team-a -g linarite \\
  --model-name smollm2-135m-instruct --sku-name GlobalStandard --sku-capacity 10""",
    ),
    ("Which models can it be?", "linarite model list --deployable"),
)
UPDATE_EXAMPLES = examples(
    ("Give it more:", "linarite deployment update chat --capacity 20 --watch"),
    ("Label it:", "linarite deployment update chat --tags team=search --tags stage=test"),
    (
        "Change any property:",
        "linarite deployment update chat --set properties.versionUpgradeOption=NoAutoUpgrade",
    ),
)
CALIBRATE_EXAMPLES = examples(
    (
        "What does this machine do with it, and what is a unit worth?",
        "linarite deployment calibrate chat",
    ),
    ("In a hurry:", "linarite deployment calibrate chat --seconds 5"),
)
UPGRADES_EXAMPLES = examples(
    ("What would move to another version, and when?", "linarite deployment upgrades"),
)
DELETE_EXAMPLES = examples(
    ("Stop serving it; requests that have begun are finished:", "linarite deployment delete chat"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="deployment",
        help="Deployments of an account: list, show, create, update, delete, calibrate, upgrades.",
        no_args_is_help=True,
    )
    command(app, "list", list_deployments, AccountFlags, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "show", show, DeploymentFlags, AccountFlags, OutputFlags, epilog=SHOW_EXAMPLES)
    command(
        app,
        "create",
        create,
        DeploymentFlags,
        Create,
        AccountFlags,
        WatchFlags,
        OutputFlags,
        epilog=CREATE_EXAMPLES,
    )
    command(
        app,
        "update",
        update,
        DeploymentFlags,
        Update,
        AccountFlags,
        WatchFlags,
        OutputFlags,
        epilog=UPDATE_EXAMPLES,
    )
    command(
        app,
        "calibrate",
        calibrate,
        DeploymentFlags,
        Calibrate,
        AccountFlags,
        OutputFlags,
        epilog=CALIBRATE_EXAMPLES,
    )
    command(app, "upgrades", list_upgrades, OutputFlags, epilog=UPGRADES_EXAMPLES)
    command(app, "delete", delete, DeploymentFlags, AccountFlags, epilog=DELETE_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
