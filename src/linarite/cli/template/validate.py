"""`linarite template validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import parts
from linarite.cli.arm.flags import Output
from linarite.cli.arm.printed import print_data, print_many, say
from linarite.cli.template.place import asked_for
from linarite.domain.arm_id import type_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.template.file import TemplateFlags


async def validate(server: Server, asked: TemplateFlags, shown: OutputFlags) -> None:
    """Check a template as a whole; nothing is changed. All problems are told at once."""
    answer = await asked_for(server, asked, "validate")
    if shown.output is not Output.TABLE:
        print_data(answer, shown.output)
        return
    print_many(parts(answer["properties"], "validatedResources"), _row, shown.output)
    say("The template is valid.")


def _row(resource: dict[str, Any]) -> dict[str, object]:
    return {
        "type": type_of(resource["id"]),
        "name": resource["id"].rpartition("/")[2],
        "id": resource["id"],
    }
