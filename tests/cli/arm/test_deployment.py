"""`linarite deployment` against a running server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml
from openai import AzureOpenAI

from tests.cli.terminal import Terminal, linarite
from tests.hosting.models import gguf_files

if TYPE_CHECKING:
    from tests.serving import Server

OPERATION = re.compile(r"linarite operation wait ([0-9a-f-]{36})")


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints as JSON."""
    done = linarite(server.home, *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_deployment_lives_and_answers(managed: Server) -> None:
    """Made, shown, used by the official client, changed, deleted."""
    create = ("create", "chat", "--model", "gpt-5", "--sku", "Standard", "--capacity", "2")
    made = linarite(managed.home, "deployment", *create, "--watch")
    assert (made.returncode, made.stderr) == (0, "")
    assert re.search(r"^state +Succeeded$", made.stdout, re.MULTILINE)
    client = AzureOpenAI(
        azure_endpoint=managed.endpoint, api_key=managed.key, api_version="2024-10-21"
    )
    answer = client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "Hi"}], max_tokens=3
    )
    assert answer.choices[0].message.content

    update = ("update", "chat", "--capacity", "3", "--tags", "a=b", "--watch")
    assert linarite(managed.home, "deployment", *update).returncode == 0
    set_ = ("--set", "properties.versionUpgradeOption=NoAutoUpgrade")
    assert linarite(managed.home, "deployment", "update", "chat", *set_).returncode == 0
    now = told(managed, "deployment", "show", "chat")
    assert now["sku"] == {"name": "Standard", "capacity": 3}
    assert now["tags"] == {"a": "b"}
    assert now["properties"]["versionUpgradeOption"] == "NoAutoUpgrade"
    plan = linarite(managed.home, "deployment", "upgrades").stdout
    assert re.search(r"chat +gpt-5 \S+ +NoAutoUpgrade +UpToDate", plan), plan
    as_yaml = linarite(managed.home, "deployment", "show", "chat", "-o", "yaml").stdout
    assert yaml.safe_load(as_yaml) == now

    deleted = linarite(managed.home, "deployment", "delete", "chat")
    assert (deleted.returncode, deleted.stderr) == (0, "chat is deleted.\n")
    assert "chat" not in [each["name"] for each in told(managed, "deployment", "list")]


def test_the_names_of_az_are_taken(managed: Server) -> None:
    """A line copied from an az script works but for its first words."""
    line = """deployment create -g linarite -n linarite --deployment-name az --model-name gpt-5
        --model-version 1 --model-format OpenAI --sku-name GlobalStandard --sku-capacity 1"""
    assert linarite(managed.home, *line.split(), "--watch").returncode == 0
    within = ("-g", "linarite", "-n", "linarite")
    shown = told(managed, "deployment", "show", *within, "--deployment-name", "az")
    assert shown["properties"]["model"] == {"format": "OpenAI", "name": "gpt-5", "version": "1"}
    assert shown["sku"] == {"name": "GlobalStandard", "capacity": 1}


def test_without_watch_the_operation_is_told(managed: Server) -> None:
    """Its id can be shown and waited for."""
    made = linarite(managed.home, "deployment", "create", "later", "--model", "gpt-5")
    found = OPERATION.search(made.stderr)
    assert found, made.stderr
    waited = linarite(managed.home, "operation", "wait", found[1])
    assert (waited.returncode, waited.stderr) == (0, "")
    shown = told(managed, "operation", "show", found[1])
    assert (shown["status"], shown["percentComplete"]) == ("Succeeded", 100.0)
    assert shown["resourceId"].endswith("/deployments/later")
    assert "Nothing" in linarite(managed.home, "operation", "list").stderr
    unknown = "00000000-0000-4000-8000-000000000000"
    assert linarite(managed.home, "operation", "wait", unknown).returncode == 3


def test_tables_are_whole_in_a_pipe(managed: Server) -> None:
    """One line a deployment, nothing folded, no colour."""
    lines = linarite(managed.home, "deployment", "list").stdout.splitlines()
    assert lines[0].split() == ["NAME", "MODEL", "VERSION", "SKU", "CAPACITY", "STATE"]
    (row,) = [line.split() for line in lines if line.startswith("gpt-4o ")]
    assert row[:2] == ["gpt-4o", "gpt-4o"]
    assert row[-1] == "Succeeded"
    assert "\x1b" not in "".join(lines)


def test_refusals_teach(managed: Server) -> None:
    """ARM's code and words, what to do, and an exit code that scripts can tell apart."""
    asked = ("deployment", "create", "x", "--model", "gpt-5")
    much = linarite(managed.home, *asked, "--capacity", "1000000")
    assert much.returncode == 1
    assert much.stderr.startswith("error: InsufficientQuota: ")
    assert much.stderr.endswith("See what is taken: linarite usage list\n")
    several = linarite(managed.home, *asked, "--capacity", "-1", "--sku", "Wrong")
    assert several.returncode == 1
    first, *reasons = several.stderr.splitlines()
    assert first.startswith("error: MultipleErrorsOccurred")
    codes = [line.split()[1] for line in reasons]
    assert codes == ["InvalidResourceProperties:", "InvalidCapacity:"]
    absent = linarite(managed.home, "deployment", "show", "absent")
    assert absent.returncode == 3
    assert absent.stderr.startswith("error: ResourceNotFound: ")
    declared = linarite(managed.home, "deployment", "delete", "gpt-4o")
    assert declared.returncode == 1
    assert "[[deployments]]" in declared.stderr
    for wrong in (("show",), ("update", "gpt-4o"), ("create", "x", "--model", "m", "--set", "a")):
        done = linarite(managed.home, "deployment", *wrong)
        assert done.returncode == 2, wrong
        assert done.stderr.count("\n") == 1


def test_a_bar_is_for_terminals(managed: Server) -> None:
    """It is drawn while the operation runs, and gone when the deployment is shown."""
    create = ("deployment", "create", "seen", "--model", "gpt-5", "--watch")
    with Terminal(managed.home, *create) as terminal:
        assert terminal.wait_for_end() == 0
    assert "━" in terminal.raw
    assert "Succeeded" in terminal.shown


def test_tab_completes_names(managed: Server) -> None:
    """Of deployments and of models, as the server knows them; without one, nothing."""
    asked = {"_LINARITE_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    line = {"COMP_WORDS": "linarite deployment show text-"}
    found = linarite(managed.home, **asked, **line)
    assert found.stdout.split() == ["text-embedding-3-small"]
    models = {"COMP_WORDS": "linarite deployment create x --model gpt", "COMP_CWORD": "5"}
    assert "gpt-4o" in linarite(managed.home, **asked | models).stdout.split()
    nowhere = linarite(managed.home.parent, **asked, **line)
    assert (nowhere.stdout.strip(), nowhere.stderr) == ("", "")


def test_a_server_is_asked_to_bring_a_model(managed: Server) -> None:
    """It is followed to its end, and what went wrong is said in one line."""
    folder = managed.home / "imports"
    folder.mkdir(exist_ok=True)
    gguf_files.file(folder / "tiny.gguf")
    brought = linarite(
        managed.home, "model", "import", "file:tiny.gguf", "--name", "tiny", "--watch"
    )
    assert (brought.returncode, brought.stderr) == (0, "tiny@1 is there.\n"), brought.stderr
    assert "tiny" in linarite(managed.home, "model", "list", "--deployable").stdout
    absent = ("model", "import", "file:none.gguf", "--name", "none", "--watch")
    failed = linarite(managed.home, *absent)
    assert failed.returncode == 1
    assert "models.import_folder" in failed.stderr
