"""What can go wrong with models on disk; each message says what to do next.

The tree, under `SetupError`:

- ModelStoreError
  - ModelNotFound: nothing of that name in the store
  - ModelExists: the name is taken by another file
  - ModelNameInvalid: a name that cannot be a folder's
  - ModelFileInvalid: not GGUF, truncated, or beyond the bounds of what we hand to an engine
  - ModelTampered: the bytes are not those that were imported or pinned
  - ModelUnavailable: its source, a library or the disk space for it cannot be had
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ModelStoreError(SetupError):
    """A model cannot be added, found or loaded."""

    code = "ModelStoreError"


class ModelNotFound(ModelStoreError):
    """The store has no model of that name."""

    code = "ModelNotFound"

    def __init__(self, name: str, existing: Sequence[str], *, addable: bool) -> None:
        """Say what there is instead; `addable` is whether the catalogue has a model of the name."""
        there = ", ".join(existing) if existing else "none yet"
        advice = (
            f"Add it with: linarite model add {name}"
            if addable
            else "The catalogue has none either; a file is added with: linarite model add "
            f"FILE.gguf --name {name}"
        )
        super().__init__(
            f"There is no model named '{name}'. Models in the store: {there}. {advice}"
        )


class ModelExists(ModelStoreError):
    """Another file has that name already."""

    code = "ModelExists"

    def __init__(self, name: str) -> None:
        """Offer both ways out."""
        super().__init__(
            f"A different model named '{name}' is in the store. Remove it first "
            f"(linarite model remove {name}) or give this one another name (--name)."
        )


class ModelNameInvalid(ModelStoreError):
    """Names become folders, so only harmless characters are taken."""

    code = "ModelNameInvalid"

    def __init__(self, name: str) -> None:
        """Say what is allowed."""
        super().__init__(
            f"'{name[:100]}' cannot be a model's name: use 1 to 80 lower-case letters, digits, "
            "dots, dashes and underscores, beginning with a letter or digit (--name NAME)."
        )


class ModelFileInvalid(ModelStoreError):
    """The file is not a GGUF model that may be handed to an engine."""

    code = "ModelFileInvalid"

    def __init__(self, file_name: str, reason: str) -> None:
        """`reason` completes the sentence 'NAME is not a usable GGUF model: …'."""
        super().__init__(f"{file_name} is not a usable GGUF model: {reason}.")
        self.reason = reason


class ModelTampered(ModelStoreError):
    """The sha256 is not the one that was recorded or pinned."""

    code = "ModelTampered"


class ModelUnavailable(ModelStoreError):
    """The model cannot be fetched now; the message says why and what else would do."""

    code = "ModelUnavailable"
