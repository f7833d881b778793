"""Where requests go, and with which headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from linarite import __version__
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import target_of

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec
    from linarite.engines.upstream.credentials import Credentials
    from linarite.engines.upstream.options import UpstreamOptions

Operation = Literal["chat/completions", "completions", "embeddings"]


class Endpoint:
    """The upstream's address, the path of each operation, and the headers of a request."""

    def __init__(
        self, spec: InstanceSpec, options: UpstreamOptions, credentials: Credentials
    ) -> None:
        place = f"instances.{spec.name}.options.base_url"
        try:
            self.target = target_of(options.base_url)
        except EgressRefused as refused:
            raise SetupError(f"{place}: {refused.message}") from None
        base = self.target.path.rstrip("/")
        if "?" in base:
            raise SetupError(f"{place} must not have a query; api_version is an option of its own.")
        if base.endswith(("/completions", "/embeddings")):
            raise SetupError(f"{place} must end before the operation, such as in …/v1.")
        named = options.model or spec.model
        self.model = None if options.kind == "azure" else named
        """the name to put into a body; None where the path has it"""
        self._before, self._after = _path_parts(base, named, options)
        self._credentials = credentials
        self._fixed = (
            ("content-type", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", f"linarite/{__version__}"),
            *((name.lower(), value) for name, value in options.extra_headers.items()),
        )
        self._headers: tuple[tuple[str, str], ...] = self._fixed
        self._last: tuple[str, str] | None = None

    @property
    def models_path(self) -> str:
        """A path that answers without costing tokens, to see whether anybody is there."""
        return f"{self._before.partition('/deployments/')[0]}/models{self._after}"

    def path(self, operation: Operation) -> str:
        """The path of an operation, with the query."""
        return f"{self._before}/{operation}{self._after}"

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of a request as of now; the same object as long as nothing changed."""
        if self._last is not None and self._credentials.never_change:
            return self._headers
        authentication = self._credentials.header()
        if authentication != self._last:
            self._last = authentication
            self._headers = (*self._fixed, authentication) if authentication else self._fixed
        return self._headers


def _path_parts(base: str, model: str, options: UpstreamOptions) -> tuple[str, str]:
    """What stands before and after the operation."""
    if options.kind == "openai":
        return base, ""
    if options.kind == "azure_v1":
        return f"{base.removesuffix('/v1').removesuffix('/openai')}/openai/v1", ""
    deployments = f"{base.removesuffix('/openai')}/openai/deployments"
    return f"{deployments}/{quote(model, safe='')}", f"?api-version={options.api_version}"
