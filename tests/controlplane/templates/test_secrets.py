"""What came in as a secure parameter does not come out."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controlplane.templates.plan import draft_nested
from linarite.controlplane.templates.problems import TemplateRefused
from linarite.controlplane.templates.secrets import SHORTEST, Secrets
from tests.controlplane.templates.samples import HERE, account, plan, template

SECURE = {"key": {"type": "securestring"}, "more": {"type": "secureObject", "defaultValue": {}}}


@given(st.lists(st.text("abc", min_size=SHORTEST, max_size=8)), st.text("abc", max_size=60))
def test_no_secret_is_left_in_a_text(secrets: list[str], text: str) -> None:
    """Whatever they are and however they overlap, none can be read afterwards."""
    hidden = Secrets(secrets).hidden([{"a": text}])
    assert not [secret for secret in secrets if secret in hidden[0]["a"]]


def test_refusals_hide_secrets_and_tell_the_rest() -> None:
    """A problem that would quote a secret shows stars in its place."""
    with pytest.raises(TemplateRefused) as refusal:
        plan(
            {"key": "hunter2-hunter2", "more": {"inner": ["deep-secret"]}},
            parameters=SECURE,
            resources=[
                account("[fail(concat('a ', parameters('key')))]"),
                account("[fail(concat('b ', parameters('more').inner[0]))]"),
            ],
        )
    told = [problem.message for problem in refusal.value.problems]
    assert "'a *******'" in told[0]
    assert "'b *******'" in told[1]


def test_secret_handed_to_a_module_stays_one() -> None:
    """Also where the module's own parameter is not declared as secure."""
    module = template(
        parameters={"plain": {"type": "string"}, "wrong": {"type": "bool"}},
        resources=[account("a", condition="[or(parameters('wrong'), fail(parameters('plain')))]")],
    )
    outside = plan(
        {"key": "hunter2-hunter2"},
        parameters=SECURE,
        resources=[
            {
                "type": "Microsoft.Resources/deployments",
                "apiVersion": "2025-04-01",
                "name": "m",
                "properties": {
                    "mode": "Incremental",
                    "expressionEvaluationOptions": {"scope": "inner"},
                    "template": module,
                    "parameters": {
                        "plain": {"value": "[parameters('key')]"},
                        "wrong": {"value": "[contains(parameters('key'), 'other')]"},
                    },
                },
            }
        ],
    )
    resource = outside.resources[0]
    ready = outside.nested(resource, {})
    fine = msgspec.structs.replace(ready, parameters={**ready.parameters, "wrong": True})
    shown = draft_nested(outside, resource, fine, HERE).shown_parameters()
    assert shown["plain"] == {"type": "String", "value": "*******"}
    with pytest.raises(TemplateRefused) as refusal:
        draft_nested(outside, resource, ready, HERE)
    assert "hunter2" not in refusal.value.message
    assert "*******" in refusal.value.message
