"""What is typed about limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from linarite.cli.arm.flags import AccountFlags
from linarite.domain.usage_limits import MEASURES, Kind

KINDS = ", ".join(Kind)


@dataclass(frozen=True, kw_only=True)
class LimitNamed:
    """Which limit."""

    name: Annotated[str, typer.Argument(help="Name of the limit.", show_default=False)]


@dataclass(frozen=True, kw_only=True)
class Where(AccountFlags):
    """What it is set on."""

    subscription: Annotated[
        bool,
        typer.Option("--subscription", help="Set on the subscription: it spans accounts."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose use it limits."""

    of: Annotated[
        str | None,
        typer.Option(
            help=f"KIND=NAME: the one that is limited. Kinds: {KINDS}.", show_default=False
        ),
    ] = None
    each: Annotated[
        str | None,
        typer.Option(
            help="KIND: each of them, counted apart; `tag=NAME` for each value of a tag.",
            show_default=False,
        ),
    ] = None
    deployment: Annotated[
        list[str] | None,
        typer.Option(help="Deployment whose calls count; repeatable.", show_default="all"),
    ] = None

    @property
    def properties(self) -> dict[str, Any]:
        """The part of the body that says so. Raises BadParameter."""
        if bool(self.of) == bool(self.each):
            raise typer.BadParameter(
                "Say whose use: --of KIND=NAME for one, --each KIND for each of its kind."
            )
        typed = str(self.of or self.each)
        word, _, name = typed.partition("=")
        kind = next((each for each in Kind if each.lower() == word.lower()), None)
        if kind is None:
            raise typer.BadParameter(f"There is no kind '{word}'. There are: {KINDS}.")
        alone = kind in (Kind.ACCOUNT, Kind.SUBSCRIPTION)
        if self.of and not name and not alone:
            raise typer.BadParameter(f"Which one? --of {kind}=NAME, or --each {kind}.")
        if self.each and name and kind is not Kind.TAG:
            raise typer.BadParameter(f"--each {kind} is each of them; --of {typed} is one.")
        applies = {"kind": kind.value} | ({"name": name} if name else {})
        said: dict[str, Any] = {"appliesTo": applies}
        return said | ({"deployments": self.deployment} if self.deployment else {})


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much there may be."""

    tokens_per_minute: Annotated[int | None, typer.Option(min=0, help="In any minute.")] = None
    requests_per_minute: Annotated[int | None, typer.Option(min=0, help="In any minute.")] = None
    concurrent_requests: Annotated[int | None, typer.Option(min=0, help="At the same time.")] = None
    tokens_per_day: Annotated[int | None, typer.Option(min=0, help="In a day, UTC.")] = None
    tokens_per_month: Annotated[int | None, typer.Option(min=0, help="In a month, UTC.")] = None
    cost_per_day: Annotated[
        float | None, typer.Option(min=0, help="In the price book's currency.")
    ] = None
    cost_per_month: Annotated[
        float | None, typer.Option(min=0, help="In the price book's currency.")
    ] = None
    warn_at: Annotated[
        list[int] | None,
        typer.Option(min=1, max=100, help="Percentage to be told at; repeatable."),
    ] = None

    def properties(self, *, removing: bool = False) -> dict[str, Any]:
        """The part of the body that says so; what is 0 is taken away when `removing`."""
        amounts = (
            self.tokens_per_minute,
            self.requests_per_minute,
            self.concurrent_requests,
            self.tokens_per_day,
            self.tokens_per_month,
            self.cost_per_day,
            self.cost_per_month,
        )
        said: dict[str, Any] = {
            measure.name: amount or None if removing else amount
            for measure, amount in zip(MEASURES, amounts, strict=True)
            if amount is not None
        }
        return said | ({} if self.warn_at is None else {"warnAt": self.warn_at})
