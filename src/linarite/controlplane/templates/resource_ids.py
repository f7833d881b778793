"""ARM ids, made from a scope, a type and names."""

from __future__ import annotations

GROUP_TYPE = "microsoft.resources/resourcegroups"


def provider_id(scope: str, kind: str, name: str) -> str:
    """The id of a resource. Raises ValueError when the type does not have a name for each part."""
    namespace, *types = kind.strip("/").split("/")
    names = name.strip("/").split("/")
    if not types or len(types) != len(names) or not all(names):
        raise ValueError(
            f"the type '{kind}' requires '{max(len(types), 1)}' resource name argument(s), "
            f"'{name}' gives '{len(names) if name else 0}'."
        )
    if kind.lower() == GROUP_TYPE:
        return f"{scope}/resourceGroups/{name}"
    path = "/".join(f"{part}/{named}" for part, named in zip(types, names, strict=True))
    return f"{scope}/providers/{namespace}/{path}"
