"""Prints `docs/reference/built-in-roles.md`: the roles that are there without being made."""

from __future__ import annotations

from linarite.controls.authorize.built_in_roles import BuiltInRole, built_in_roles

LISTS = ("actions", "not_actions", "data_actions", "not_data_actions")
TITLES = ("actions", "notActions", "dataActions", "notDataActions")


def page(roles: tuple[BuiltInRole, ...]) -> str:
    """The page."""
    lines = [
        "# Built-in roles",
        "",
        "Made by `make docs` from `controls/authorize/built_in_roles.toml`.",
        "Ids and permissions are Azure's; what they mean here says [Access](../access.md).",
        "",
        "| role | id | control plane | data plane |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| [{role.name}](#{anchor(role.name)}) | `{role.id}` | {counted(role.actions)} "
        f"| {counted(role.data_actions)} |"
        for role in roles
    ]
    for role in roles:
        lines += ["", f"## {role.name}", "", role.description]
        if role.may_assign:
            names = {each.id: each.name for each in roles}
            listed = ", ".join(names.get(each, f"`{each}`") for each in role.may_assign)
            lines += ["", f"May assign and take away only: {listed}."]
        for name, title in zip(LISTS, TITLES, strict=True):
            words: list[str] = getattr(role, name)
            if words:
                lines += ["", f"{title}:", "", *(f"- `{word}`" for word in words)]
    return "\n".join(lines) + "\n"


def anchor(name: str) -> str:
    """The anchor that a heading gets."""
    kept = "".join(each for each in name.lower() if each.isalnum() or each in " -")
    return kept.replace(" ", "-")


def counted(words: list[str]) -> str:
    """How much a list grants, at a glance."""
    if not words:
        return "nothing"
    if words in (["*"], ["Microsoft.CognitiveServices/*"]):
        return f"`{words[0]}`"
    return f"{len(words)} pattern{'s' if len(words) > 1 else ''}"


if __name__ == "__main__":
    print(page(built_in_roles()), end="")
