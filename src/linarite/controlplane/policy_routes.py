"""The rows of Azure Policy, which every scope has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.api_versions import POLICY, POLICY_INSIGHTS
from linarite.controlplane.policy.admission import NAME, READ_ONLY, keep_used
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.policy_assignments import reads as assignment_reads
from linarite.controlplane.resources.policy_assignments import rules as assignment_rules
from linarite.controlplane.resources.policy_definitions import reads as definition_reads
from linarite.controlplane.resources.policy_definitions import rules as definition_rules
from linarite.controlplane.resources.policy_exemptions import reads as exemption_reads
from linarite.controlplane.resources.policy_exemptions import rules as exemption_rules
from linarite.controlplane.resources.policy_set_definitions import reads as set_reads
from linarite.controlplane.resources.policy_set_definitions import rules as set_rules
from linarite.controlplane.resources.policy_states import actions as states
from linarite.controlplane.router import SCOPE
from linarite.controls.policy.definitions import (
    ASSIGNMENT_TYPE,
    DEFINITION_TYPE,
    EXEMPTION_TYPE,
    SET_TYPE,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface

    Act = Callable[[ArmRequest, Target, Surface], Awaitable[Answer]]

VERBS = frozenset(("GET", "PUT", "DELETE"))
CREATED = 201
"""Azure answers so, also where there was one before; `az` takes nothing else"""
STATES = f"/{SCOPE}/providers/{states.TYPE}"


def _template(kind: str, name: str) -> str:
    return f"/{SCOPE}/providers/{kind}/{{{name}}}"


POLICY_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=DEFINITION_TYPE,
        template=_template(DEFINITION_TYPE, "definition"),
        versions=POLICY,
        verbs=VERBS,
        replaced=CREATED,
        name_pattern=NAME,
        sent_properties=definition_rules.SentDefinition,
        read_only=READ_ONLY,
        built_in=definition_rules.built_in,
        complete=definition_rules.complete,
        admit=definition_rules.admit,
        keep=keep_used,
    ),
    ResourceType(
        type=SET_TYPE,
        template=_template(SET_TYPE, "initiative"),
        versions=POLICY,
        verbs=VERBS,
        replaced=CREATED,
        name_pattern=NAME,
        sent_properties=set_rules.SentSet,
        read_only=READ_ONLY,
        built_in=set_rules.built_in,
        gather=set_rules.gather,
        complete=set_rules.complete,
        admit=set_rules.admit,
        keep=keep_used,
    ),
    ResourceType(
        type=ASSIGNMENT_TYPE,
        template=_template(ASSIGNMENT_TYPE, "assignment"),
        versions=POLICY,
        verbs=VERBS | {"PATCH"},
        replaced=CREATED,
        tells_deleted=True,
        name_pattern=NAME,
        sent_properties=assignment_rules.SentAssignment,
        read_only=frozenset(("scope", "assignmentType", "instanceId")),
        gather=assignment_rules.gather,
        complete=assignment_rules.complete,
        admit=assignment_rules.admit,
        show=assignment_rules.show,
    ),
    ResourceType(
        type=EXEMPTION_TYPE,
        template=_template(EXEMPTION_TYPE, "exemption"),
        versions=POLICY,
        verbs=VERBS | {"PATCH"},
        name_pattern=NAME,
        sent_properties=exemption_rules.SentExemption,
        linked=exemption_rules.linked,
        gather=exemption_rules.gather,
        complete=exemption_rules.complete,
        admit=exemption_rules.admit,
    ),
)


def _list(kind: str, act: Act) -> Action:
    return reading(f"/{SCOPE}/providers/{kind}", POLICY, kind, act, lists=True)


def _built_in(kind: str, name: str, act: Act) -> Action:
    """At the tenant, where no role reaches: everybody may read what is built in."""
    return reading(f"/providers/{kind}{name}", POLICY, kind, act, entry="anyone")


def _state(word: str, act: Act, permission: str, view: str = "{view}") -> Action:
    return Action(
        method="POST",
        template=f"{STATES}/{view}/{word}",
        versions=POLICY_INSIGHTS,
        type=states.TYPE,
        permission=f"{states.TYPE}/{word}/{permission}",
        act=act,
    )


POLICY_ACTIONS: tuple[Action, ...] = (
    _list(DEFINITION_TYPE, definition_reads.list_definitions),
    _list(SET_TYPE, set_reads.list_sets),
    _built_in(DEFINITION_TYPE, "", definition_reads.list_definitions),
    _built_in(DEFINITION_TYPE, "/{definition}", definition_reads.get_built_in),
    _built_in(SET_TYPE, "", set_reads.list_sets),
    _built_in(SET_TYPE, "/{initiative}", set_reads.get_built_in),
    _list(ASSIGNMENT_TYPE, assignment_reads.list_assignments),
    _list(EXEMPTION_TYPE, exemption_reads.list_exemptions),
    # Whoever may read may also ask how things stand, as Azure's Reader may.
    _state("queryResults", states.query_results, "read"),
    _state("summarize", states.summarize, "read"),
    _state("triggerEvaluation", states.trigger_evaluation, "action", "latest"),
)
