"""What is refused where no more may be stored."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, ServiceUnavailable

RETRY_S = 10.0


class AccountStorageFull(GatewayError):
    """As many bytes as an account may store. The code is that of Azure's files."""

    control = "quota"
    status = 400
    code = "quotaExceeded"

    def __init__(self, what: str, most_bytes: int, setting: str) -> None:
        """`what` the bound is of; name it and its setting."""
        super().__init__(
            f"This account may store {most_bytes} bytes of {what}, and this would be more. Delete "
            f"some, have files expire (expires_after), or raise {setting}.",
            hint={"limit_bytes": most_bytes, "setting": setting},
        )


class DiskNearlyFull(ServiceUnavailable):
    """Less room on the data folder's disk than is to be left free."""

    control = "quota"

    def __init__(self, free_bytes: int, least_bytes: int) -> None:
        """Name what there is, and the setting."""
        setting = "storage.free_bytes_min"
        super().__init__(
            f"{max(0, free_bytes)} bytes are free on the disk of the data folder, and below "
            f"{least_bytes} nothing new is stored: {setting}",
            RETRY_S,
        )
        self.hint = {"limit_bytes": least_bytes, "setting": setting}
