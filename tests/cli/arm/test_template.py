"""`linarite template` against a running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from linarite.cli.template.file import TemplateFlags, parameter_types, parameters_of
from linarite.domain.errors import SetupError
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from tests.serving import Server

TEMPLATE = """{
  // comments are sent as they are
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"capacity": {"type": "int"}, "name": {"type": "string"}},
  "resources": [{
    "type": "Microsoft.CognitiveServices/accounts/deployments",
    "apiVersion": "2024-10-01",
    "name": "[concat('linarite/', parameters('name'))]",
    "sku": {"name": "Standard", "capacity": "[parameters('capacity')]"},
    "properties": {"model": {"name": "gpt-5"}}
  }],
  "outputs": {"size": {"type": "int", "value": "[parameters('capacity')]"}}
}"""


def test_a_template_is_foreseen_deployed_and_foreseen_again(managed: Server) -> None:
    """What-if changes nothing, deploying does, and once more would change nothing."""
    (managed.home / "main.json").write_text(TEMPLATE)
    (managed.home / "main.parameters.json").write_text(
        json.dumps(
            {
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01"
                "/deploymentParameters.json#",
                "contentVersion": "1.0.0.0",
                "parameters": {"name": {"value": "templated"}, "capacity": {"value": 1}},
            }
        )
    )
    asked = ("main.json", "-p", "main.parameters.json", "-p", "capacity=2")
    foreseen = linarite(managed.home, "template", "what-if", *asked)
    assert foreseen.returncode == 0, foreseen.stderr
    assert "+ Create" in foreseen.stdout
    assert "1 Create" in foreseen.stdout.splitlines()[-1]
    valid = linarite(managed.home, "template", "validate", *asked)
    assert (valid.returncode, valid.stderr) == (0, "The template is valid.\n")
    assert linarite(managed.home, "deployment", "show", "templated").returncode == 3
    done = linarite(managed.home, "template", "deploy", *asked, "-o", "json")
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    assert (made["name"], made["properties"]["provisioningState"]) == ("main", "Succeeded")
    assert made["properties"]["outputs"]["size"]["value"] == 2
    again = linarite(managed.home, "template", "what-if", *asked)
    assert "Create" not in again.stdout
    table = linarite(managed.home, "template", "deploy", *asked, "--name", "again", "--no-wait")
    assert table.returncode == 0
    assert "linarite operation wait " in table.stderr
    waited = linarite(managed.home, *table.stderr.split("linarite ")[1].split())
    assert waited.returncode == 0, waited.stderr


def test_all_problems_are_told(managed: Server) -> None:
    """With the reasons below the refusal, and nothing done."""
    (managed.home / "wrong.json").write_text(TEMPLATE)
    asked = ("wrong.json", "-p", "name=wrong", "-p", "capacity=100000")
    for verb in ("deploy", "validate", "what-if"):
        done = linarite(managed.home, "template", verb, *asked)
        assert done.returncode == 1
        first, reason, way_out = done.stderr.splitlines()
        assert first.startswith("error: InvalidTemplateDeployment: ")
        assert reason.startswith("  - InsufficientQuota: ")
        assert way_out == "See what is taken: linarite usage list"
    assert linarite(managed.home, "deployment", "show", "wrong").returncode == 3


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("text=7", {"text": {"value": "7"}}),
        ("number=7", {"number": {"value": 7}}),
        ("list=[1, 2]", {"list": {"value": [1, 2]}}),
        ("number=seven", {"number": {"value": "seven"}}),
        ("text=a=b", {"text": {"value": "a=b"}}),
        ('{"text": {"value": "x"}}', {"text": {"value": "x"}}),
    ],
)
def test_values_have_the_types_that_the_template_declares(
    typed: str, values: dict[str, Any]
) -> None:
    """A number is text where a string is declared."""
    types = parameter_types(
        '{"parameters": {"TEXT": {"type": "String"}, "number": {"type": "int"}}}'
    )
    assert parameters_of(typed, types) == values


def test_a_value_comes_from_a_file(tmp_path: Path) -> None:
    """`NAME=@FILE` is the file's text."""
    file = tmp_path / "value.txt"
    file.write_text("hello")
    assert parameters_of(f"text=@{file}", {}) == {"text": {"value": "hello"}}
    with pytest.raises(SetupError, match="can't be read"):
        parameters_of(f"@{tmp_path / 'none.json'}", {})


def test_bicep_is_to_be_compiled_first() -> None:
    """The command that does it is told."""
    with pytest.raises(SetupError, match=r"bicep build main\.bicep"):
        _ = TemplateFlags(file=Path("main.bicep")).path
    with pytest.raises(typer.BadParameter):
        _ = TemplateFlags().path
