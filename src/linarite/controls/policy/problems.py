"""What is wrong with a definition or an assignment, in Azure's codes."""

from __future__ import annotations

from linarite.domain.arm_errors import Problem

INVALID_RULE = "InvalidPolicyRule"
INVALID_ALIAS = "InvalidPolicyAlias"
INVALID_PARAMETERS = "InvalidPolicyParameters"
INVALID_EFFECT_DETAILS = "InvalidPolicyRuleEffectDetails"


def invalid_rule(message: str, place: str, code: str = INVALID_RULE) -> Problem:
    """The rule is wrong at a place, such as `policyRule.if.allOf[1].field`."""
    return Problem(
        code, f"Failed to parse policy rule: '{message}' at '{place}'.", f"properties.{place}"
    )
