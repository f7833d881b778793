"""What policies come to: for a resource about to be written or deleted, and for one that is there.

The order is Azure's: changes first, then refusals, then audits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.policy.binding import Bound, exempting, overridden, reaches
from linarite.controls.policy.definitions import DATA_MODE, Exemption
from linarite.controls.policy.effects import EFFECTS, Changes, ProtectedActions
from linarite.controls.policy.evaluation import Compared, Evaluation, EvaluationFailed, World
from linarite.controls.policy.fields import find_field
from linarite.controls.policy.modifying import AppendConflict, changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.controls.policy.effects import Operation
    from linarite.controls.policy.expressions import Expressions


class Subject(msgspec.Struct, frozen=True):
    """A resource as rules see it."""

    id: str
    type: str
    indexed: bool
    """has a location and tags: mode Indexed looks at it"""
    content: dict[str, Any]
    """name, fullName, type, location, kind, sku, tags, identity, id, properties"""
    data_content: dict[str, Any] | None = None
    """how mode Microsoft.CognitiveServices.Data sees it; None where it does not"""

    @property
    def location(self) -> str | None:
        """Where it lies."""
        found = self.content.get("location")
        return found if isinstance(found, str) else None

    def seen_in(self, mode: str) -> dict[str, Any] | None:
        """What a definition of a mode looks at; None for nothing."""
        if mode == DATA_MODE:
            return self.data_content
        return None if mode == "Indexed" and not self.indexed else self.content


class Finding(msgspec.Struct, frozen=True):
    """A rule that is met, or that failed."""

    bound: Bound
    effect: str
    compared: tuple[Compared, ...] = ()
    failed: str = ""
    """why the rule has no answer; Azure takes that for a refusal"""


class Verdict(msgspec.Struct, frozen=True):
    """What policies say to a write."""

    content: dict[str, Any]
    """the resource as they leave it"""
    modified: tuple[Finding, ...] = ()
    denied: tuple[Finding, ...] = ()
    audited: tuple[Finding, ...] = ()


class Policies(msgspec.Struct, frozen=True):
    """All that is assigned."""

    bound: tuple[Bound, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    def over(self, subject: Subject) -> list[Bound]:
        """What counts for a resource, exempt or not."""
        return [
            each for each in self.bound if reaches(each, subject.id, subject.type, subject.location)
        ]

    def exemption(self, bound: Bound, subject: Subject, now: str) -> Exemption | None:
        """What frees a resource of a policy."""
        return next(
            (each for each in self.exemptions if exempting(each, bound, subject.id, now)), None
        )


class Court:
    """Decides over one set of policies."""

    def __init__(self, policies: Policies, expressions: Expressions) -> None:
        self._policies = policies
        self._expressions = expressions

    def on_write(self, subject: Subject, world: World) -> Verdict:
        """Changes, refusals and audits of a resource that is about to be written."""
        bounds = self._enforced(subject, world)
        changing, others = _parted(bounds, subject, world, self._expressions)
        written, modified, denied = self._changed(changing, subject, world)
        audited: list[Finding] = []
        for bound in others:
            finding = self.found(bound, written, world)
            if finding is None:
                continue
            if finding.effect == "deny" or (finding.failed and finding.effect != "audit"):
                denied.append(finding)
            elif finding.effect == "audit":
                audited.append(finding)
        # An assignment that is not enforced still tells what it would have found.
        return Verdict(written.content, tuple(modified), tuple(denied), tuple(audited))

    def on_delete(self, subject: Subject, world: World, *, cascading: bool) -> list[Finding]:
        """What forbids deleting a resource; `cascading`: with the resource group around it."""
        denied: list[Finding] = []
        for bound in self._enforced(subject, world):
            if effect_of(bound, subject, world, self._expressions) != "denyAction":
                continue
            details = bound.definition.then.details
            if cascading and isinstance(details, ProtectedActions) and not details.cascades:
                continue
            finding = self.found(bound, subject, world)
            if finding is not None:
                denied.append(finding)
        return denied

    def found(self, bound: Bound, subject: Subject, world: World) -> Finding | None:
        """What a rule says of a resource; None where it is not met or does not look."""
        effect = effect_of(bound, subject, world, self._expressions)
        content = subject.seen_in(bound.definition.mode)
        if effect == "disabled" or content is None:
            return None
        evaluation = Evaluation(self._expressions, content, world, bound.parameters, bound.policy)
        try:
            met = evaluation.holds(bound.definition.condition)
        except EvaluationFailed as failed:
            return Finding(bound, effect, tuple(evaluation.compared), str(failed))
        return Finding(bound, effect, tuple(evaluation.compared)) if met else None

    def _enforced(self, subject: Subject, world: World) -> list[Bound]:
        return [
            bound
            for bound in self._policies.over(subject)
            if bound.assignment.enforced
            and self._policies.exemption(bound, subject, world.now) is None
        ]

    def _changed(
        self, changing: Sequence[Bound], subject: Subject, world: World
    ) -> tuple[Subject, list[Finding], list[Finding]]:
        """The resource after every change, who changed it, and what refuses it."""
        findings = [finding for bound in changing if (finding := self.found(bound, subject, world))]
        denied = [finding for finding in findings if finding.failed]
        wanted = [
            (finding, operation)
            for finding in findings
            if not finding.failed
            for operation in self._operations(finding, subject, world, denied)
        ]
        wanted, conflicts = _settled(wanted)
        denied += conflicts
        modified: list[Finding] = []
        content = subject.content
        for finding, operation in wanted:
            field = find_field(operation.field)
            if field is None or (field.type and field.type.lower() != subject.type.lower()):
                continue
            try:
                made = changed(content, field, operation.operation, operation.value)
            except AppendConflict:
                denied.append(finding)
                continue
            if made != content and finding not in modified:
                modified.append(finding)
            content = made
        return msgspec.structs.replace(subject, content=content), modified, denied

    def _operations(
        self, finding: Finding, subject: Subject, world: World, denied: list[Finding]
    ) -> list[Operation]:
        """The operations whose conditions hold, their values evaluated."""
        details = finding.bound.definition.then.details
        if not isinstance(details, Changes):
            return []
        made: list[Operation] = []
        for operation in details.operations:
            evaluation = Evaluation(
                self._expressions,
                subject.content,
                world,
                finding.bound.parameters,
                finding.bound.policy,
            )
            try:
                if operation.condition and evaluation.resolved(operation.condition) is not True:
                    continue
                made.append(
                    msgspec.structs.replace(
                        operation,
                        field=str(evaluation.resolved(operation.field)),
                        value=evaluation.resolved(operation.value),
                    )
                )
            except EvaluationFailed as failed:
                denied.append(msgspec.structs.replace(finding, failed=str(failed)))
        return made


def effect_of(bound: Bound, subject: Subject, world: World, expressions: Expressions) -> str:
    """The effect in Azure's spelling: the assignment's override, else the definition's."""
    override = overridden(bound, subject.location)
    if override is not None:
        return override
    evaluation = Evaluation(expressions, {}, world, bound.parameters, bound.policy)
    try:
        said = evaluation.resolved(bound.definition.then.effect)
    except EvaluationFailed:
        said = ""
    return EFFECTS.get(str(said).lower(), "disabled")


def _parted(
    bounds: Iterable[Bound], subject: Subject, world: World, expressions: Expressions
) -> tuple[list[Bound], list[Bound]]:
    """Those that change the resource, and the others."""
    changing: list[Bound] = []
    others: list[Bound] = []
    for bound in bounds:
        effect = effect_of(bound, subject, world, expressions)
        (changing if effect in {"modify", "append"} else others).append(bound)
    return changing, others


def _settled(
    wanted: list[tuple[Finding, Operation]],
) -> tuple[list[tuple[Finding, Operation]], list[Finding]]:
    """The operations of which no two fight for a field, and the fights that nobody wins.

    Of several definitions that set one field differently, the one wins whose `conflictEffect` is
    `deny`; several such refuse the request, none such leaves the field alone. Source: "Azure
    Policy definitions modify effect", conflictEffect.
    """
    by_field: dict[str, list[tuple[Finding, Operation]]] = {}
    for finding, operation in wanted:
        by_field.setdefault(operation.field.lower(), []).append((finding, operation))
    kept: list[tuple[Finding, Operation]] = []
    denied: list[Finding] = []
    for contenders in by_field.values():
        setting = [(f, o) for f, o in contenders if o.operation in {"addOrReplace", "remove"}]
        values = [(o.operation, o.value) for _, o in setting]
        if all(each == values[0] for each in values[1:]):
            kept += contenders
            continue
        strict = [(f, o) for f, o in setting if _conflict(f) == "deny"]
        if len(strict) > 1:
            denied += [finding for finding, _ in strict]
        else:
            kept += strict
    return kept, denied


def _conflict(finding: Finding) -> str:
    details = finding.bound.definition.then.details
    return details.conflict if isinstance(details, Changes) else "deny"
