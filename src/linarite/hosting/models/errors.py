"""What can go wrong with models on disk; each message says what to do next.

The tree, under `SetupError`:

- ModelStoreError
  - ModelNotFound: nothing of that name in the store
  - ModelExists: the name and version are taken by another file
  - ModelNameInvalid: a name that cannot be a folder's
  - ModelVersionInvalid: a version that cannot be a folder's
  - ModelAmbiguous: one version is wanted, and there are several
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
    """The store has no model of that name, or not that version of it."""

    code = "ModelNotFound"

    def __init__(
        self,
        name: str,
        existing: Sequence[str],
        *,
        addable: bool,
        version: str = "",
        versions: Sequence[str] = (),
    ) -> None:
        """Say what there is instead; `addable` is whether the catalogue has a model of the name.

        `versions` are those that are there of the model.
        """
        if versions:
            super().__init__(
                f"There is no version '{version[:100]}' of the model '{name}'. Versions in the "
                f"store: {', '.join(versions)}. Add it with: linarite model add FILE.gguf --name "
                f"{name} --model-version VERSION"
            )
            return
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
    """Another file has that name and version already."""

    code = "ModelExists"

    def __init__(self, name: str, version: str) -> None:
        """Offer all ways out."""
        super().__init__(
            f"A different model named '{name}' is in the store as version {version}. Give this "
            "one another version (--model-version) or another name (--name), or remove the other "
            f"first (linarite model remove {name} --model-version {version})."
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


class ModelVersionInvalid(ModelStoreError):
    """Versions become folders too."""

    code = "ModelVersionInvalid"

    def __init__(self, version: str) -> None:
        """Say what is allowed."""
        super().__init__(
            f"'{version[:100]}' cannot be a model's version: use 1 to 64 letters, digits, dots, "
            "dashes and underscores, beginning with a letter or digit (--model-version VERSION)."
        )


class ModelAmbiguous(ModelStoreError):
    """Several versions are there, and none was named."""

    code = "ModelAmbiguous"

    def __init__(self, name: str, versions: Sequence[str]) -> None:
        """List them."""
        super().__init__(
            f"The model '{name}' has several versions: {', '.join(versions)}. Name one "
            "(--model-version VERSION), or all of them (--all-versions)."
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
