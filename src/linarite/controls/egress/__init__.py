"""The one way out: which machines may be connected to, and the connecting.

Guards: every outgoing connection, whoever asks for it. Nothing is reachable by default. Each says
its purpose and, where a request is behind it, its account: both the server's lists and the
account's own must allow it.
Raises: EgressRefused, whose message names the setting to change; OSError for what is not reached.
Settings: `egress.*`, and the upstreams that `instances.NAME.options.base_url` name; of accounts
`restrictOutboundNetworkAccess` and `allowedFqdnList`.

Names are resolved once, every address found is checked, and one of the checked addresses is
connected to, so an answer of the name server that changes in between changes nothing. Rules and
reasons are in `docs/egress.md`.
"""

from __future__ import annotations

from linarite.controls.egress.dialer import EgressDialer
from linarite.controls.egress.outbound import OutboundLists
from linarite.controls.egress.policy import EgressPolicy, PurposeHosts
from linarite.controls.egress.proxy import HttpProxy
from linarite.domain.target import Target, target_of

__all__ = [
    "EgressDialer",
    "EgressPolicy",
    "HttpProxy",
    "OutboundLists",
    "PurposeHosts",
    "Target",
    "target_of",
]
