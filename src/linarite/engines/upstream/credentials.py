"""What Linarite shows the upstream: a key, or a token from a file that others renew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import SetupError
from linarite.engines.upstream.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.engines.upstream.options import UpstreamOptions

log = structlog.get_logger("linarite.upstream")

_LOOK_AGAIN_S = 1.0
"""how old our knowledge of the token file may get; a look is a system call"""


class Credentials:
    """The header that authenticates us."""

    def __init__(self, instance: str, options: UpstreamOptions, clock: Callable[[], float]) -> None:
        self._instance = instance
        self._key = options.api_key
        self._key_header = "authorization" if options.kind == "openai" else "api-key"
        self._token_file = Path(options.token_file).expanduser() if options.token_file else None
        self.never_change = self._token_file is None
        """the header stays the same for good"""
        self._clock = clock
        self._looked_at = 0.0
        self._state: tuple[int, int, int] | None = None
        self._token = Secret("")

    @property
    def setting(self) -> str:
        """The setting an operator has to look at when the upstream refuses us."""
        option = "token_file" if self._token_file else "api_key"
        return f"instances.{self._instance}.options.{option}"

    def check(self) -> None:
        """Raise SetupError when the token file holds no token."""
        if self._token_file is None:
            return
        try:
            self._read(self._token_file)
        except (OSError, ValueError) as error:
            raise SetupError(f"{self.setting}: {self._token_file} can't be used: {error}") from None

    def header(self) -> tuple[str, str] | None:
        """The header for a request; None when neither key nor token is set."""
        if self._token_file is not None:
            if self._clock() - self._looked_at >= _LOOK_AGAIN_S:
                self.renew()
            return "authorization", f"Bearer {self._token.reveal()}"
        if not self._key:
            return None
        scheme = "Bearer " if self._key_header == "authorization" else ""
        return self._key_header, scheme + self._key.reveal()

    def renew(self) -> bool:
        """Look at the token file now; True when it holds another token than before.

        A file that can't be read leaves the token as it was: it may be in the middle of being
        replaced.
        """
        if self._token_file is None:
            return False
        before = self._token
        try:
            self._read(self._token_file)
        except (OSError, ValueError) as error:
            log.warning("token file unreadable", setting=self.setting, why=str(error))
        return self._token != before

    def hide_in(self, text: str) -> str:
        """The text without our key or token, should the upstream have quoted it."""
        for secret in (self._key, self._token):
            if secret:
                text = text.replace(secret.reveal(), "…")
        return text

    def _read(self, file: Path) -> None:
        self._looked_at = self._clock()
        status = file.stat()
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        if state == self._state:
            return
        token = file.read_text(encoding="ascii").strip()
        if not token or any(character.isspace() for character in token):
            raise ValueError("it must hold one token and nothing else")
        self._token, self._state = Secret(token), state
