"""Which addresses a subnet has: the one place that knows subnets."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controls.network.options import NetworkSettings

Network = IPv4Network | IPv6Network


class Networks:
    """The networks around this machine, by the resource id of their subnet."""

    def __init__(self, declared: Mapping[str, NetworkSettings], group_id: str = "") -> None:
        """`declared` is `[networks.NAME]`; `group_id` the resource group of the declared account.

        Raises SetupError for what is no range of addresses.
        """
        self._by_subnet: dict[str, tuple[Network, ...]] = {}
        for name, said in declared.items():
            subnet = (said.subnet or default_subnet(name, group_id)).lower()
            if subnet in self._by_subnet:
                raise SetupError(f"networks.{name}.subnet: another network has this subnet too.")
            self._by_subnet[subnet] = tuple(
                _range(text, f"networks.{name}.addresses") for text in said.addresses
            )

    def ranges_of(self, subnet_id: str) -> tuple[Network, ...] | None:
        """The ranges of a subnet, by its resource id in any case; None where unknown."""
        return self._by_subnet.get(subnet_id.lower())

    def knows(self, subnet_id: str) -> bool:
        """Whether it is known which addresses a subnet has."""
        return self.ranges_of(subnet_id) is not None


def default_subnet(name: str, group_id: str) -> str:
    """The subnet that a network is, if its settings name none."""
    return f"{group_id}/providers/Microsoft.Network/virtualNetworks/{name}/subnets/default"


NO_NETWORKS = Networks({})


def _range(text: str, place: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise SetupError(
            f"{place} has '{text[:100]}', which is neither an address nor a range such as "
            "10.1.0.0/24."
        ) from None
