"""Callers that show nothing but a client certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.client_certificate import speaks_alone

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.domain.client_certificate import CertificateHolders
    from linarite.domain.principal import Principal


def holder_of(call: Call, holders: CertificateHolders) -> Principal | None:
    """Who calls, by the certificate alone; None where a key or token is to decide, or nobody."""
    if call.certificate is None:
        return None
    headers = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers.items()
    }
    if not speaks_alone(headers):
        return None
    return holders.holder(call.certificate, call.arrival.listener)
