"""The networks that settings declare, as private endpoints lie in them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.arm_id import parent_id
from linarite.domain.errors import SetupError
from linarite.domain.private_link import SUBNET_TYPE, VIRTUAL_NETWORK_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from linarite.controls.network.options import NetworkSettings

ADDRESSES_MAX = 4096
"""of one network's endpoints"""
DNS_PORT = 53
SUBNET_SEGMENTS = 10
"""of a subnet's id: eight down to the virtual network, two more"""


class Network(msgspec.Struct, frozen=True):
    """One `[networks.NAME]`."""

    name: str
    subnet_id: str
    ranges: tuple[str, ...]
    """who is in it, by address"""
    endpoint_addresses: tuple[str, ...]
    """in the order in which they are given out"""
    endpoint_port: int
    dns: tuple[str, int] | None
    """where names are answered to it"""

    @property
    def virtual_network_id(self) -> str:
        """The virtual network that its subnet lies in."""
        return parent_id(self.subnet_id)

    @property
    def setting(self) -> str:
        """Where settings say it."""
        return f"[networks.{self.name}]"


class Networks:
    """All of them, found by what resources name."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self.all = tuple(networks)
        self._by_subnet = {each.subnet_id.lower(): each for each in self.all}

    def of_subnet(self, subnet_id: str) -> Network | None:
        """The network that a subnet is; None for a subnet that settings don't know."""
        return self._by_subnet.get(subnet_id.lower().rstrip("/"))

    def ranges_of(self, subnet_id: str) -> tuple[str, ...]:
        """The addresses of a subnet, for the rules that name it; none where unknown."""
        network = self.of_subnet(subnet_id)
        return network.ranges if network is not None else ()


def networks_of(declared: Mapping[str, NetworkSettings], account_id: str) -> Networks:
    """What settings say, read; `account_id` is the declared account's. Raises SetupError."""
    read = [_network(name, said, account_id) for name, said in declared.items()]
    taken: dict[str, str] = {}
    for network in read:
        for key in (network.subnet_id.lower(), *network.endpoint_addresses):
            if key in taken:
                raise SetupError(
                    f"networks.{network.name} and networks.{taken[key]} both have '{key}'. A "
                    "subnet is one network, and an address of endpoints lies in one."
                )
            taken[key] = network.name
    return Networks(read)


def default_subnet_id(name: str, account_id: str) -> str:
    """The subnet that a network is whose settings name none: it lies beside the account."""
    group = account_id.partition("/providers/")[0]
    return f"{group}/providers/{VIRTUAL_NETWORK_TYPE}/{name}/subnets/default"


def host_and_port(text: str, key: str, default: int) -> tuple[str, int]:
    """`ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, taken apart. Raises SetupError."""
    host, _, port = text.rpartition(":") if "]" in text or text.count(":") == 1 else (text, "", "")
    if "]" in text and not text.startswith("["):
        host = ""
    host = host.strip("[]")
    try:
        everywhere = ip_address(host).is_unspecified
        number = int(port) if port else default
    except ValueError:
        everywhere, number = False, -1
    if everywhere or not 0 <= number <= 65535:  # noqa: PLR2004 - ports
        raise SetupError(
            f"{key} is '{text}': write ADDRESS or ADDRESS:PORT with one address of this machine, "
            "such as 10.1.0.2:53. Who asks on another one must not be answered from it."
        )
    return host, number


def _network(name: str, said: NetworkSettings, account_id: str) -> Network:
    subnet = (said.subnet or default_subnet_id(name, account_id)).rstrip("/")
    parts = subnet.split("/")
    kind = "/".join([*parts[6:8], *parts[9:10]])
    if len(parts) != SUBNET_SEGMENTS + 1 or kind.lower() != SUBNET_TYPE.lower():
        raise SetupError(
            f"networks.{name}.subnet is no subnet's id: '{subnet}'. It must be "
            "/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…"
            "/subnets/…"
        )
    key = f"networks.{name}.endpoint_addresses"
    addresses = tuple(dict.fromkeys(_addresses(said.endpoint_addresses, key)))
    return Network(
        name=name,
        subnet_id=subnet,
        ranges=tuple(_ranges(said.addresses, f"networks.{name}.addresses")),
        endpoint_addresses=addresses,
        endpoint_port=said.endpoint_port,
        dns=host_and_port(said.dns, f"networks.{name}.dns", DNS_PORT) if said.dns else None,
    )


def _ranges(said: Iterable[str], key: str) -> Iterator[str]:
    for text in said:
        try:
            yield str(ip_network(text, strict=False))
        except ValueError:
            raise SetupError(f"{key}: '{text}' is no range such as 10.1.0.0/24.") from None


def _addresses(said: Iterable[str], key: str) -> Iterator[str]:
    count = 0
    for text in said:
        first, _, last = (part.strip() for part in text.partition("-"))
        try:
            begin, end = ip_address(first), ip_address(last or first)
        except ValueError:
            begin, end = None, None
        if begin is None or end is None or begin.version != end.version or int(end) < int(begin):
            raise SetupError(f"{key}: '{text}' is neither an address nor FIRST-LAST.")
        count += int(end) - int(begin) + 1
        if count > ADDRESSES_MAX:
            raise SetupError(f"{key}: more than {ADDRESSES_MAX} addresses; list fewer.")
        kind = type(begin)
        yield from (str(kind(number)) for number in range(int(begin), int(end) + 1))
