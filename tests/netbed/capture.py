"""What crosses the links of a host: every packet, seen by a packet socket as tcpdump sees it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Self

from tests.netbed.sockets import socket_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from linarite.cli.netbed.namespaces import Bed

EVERY_PROTOCOL = 0x0003
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
TCP, UDP, ICMPV6 = 6, 17, 58
SYN, ACK = 0x02, 0x10
SOL_PACKET, PACKET_STATISTICS = 263, 6
LOOK_S = 0.05
SETTLE_S = 0.15
BUFFER_BYTES = 64 * 1024 * 1024
SO_RCVBUFFORCE = 33


@dataclass(frozen=True)
class Packet:
    """One packet on one link. Ports and flags are 0 where it has none."""

    link: str
    kind: int
    """as Ethernet tells it: IPV4, IPV6, ARP"""
    protocol: int = 0
    source: str = ""
    target: str = ""
    source_port: int = 0
    target_port: int = 0
    flags: int = 0

    @property
    def opens(self) -> bool:
        """Whether somebody tries to connect by it."""
        return self.protocol == TCP and self.flags & (SYN | ACK) == SYN

    @property
    def asks_names(self) -> bool:
        """Whether it is a question to a name server."""
        return self.target_port == 53

    def touches(self, address: str) -> bool:
        """Whether it comes from there or goes there."""
        return address in (self.source, self.target)


class Capture:
    """All packets on all links of a host while the block runs; fails if the kernel lost any."""

    def __init__(self, bed: Bed, host: str) -> None:
        self._bed, self._host = bed, host
        self._ended = threading.Event()
        self._packets: list[Packet] = []
        self._thread = threading.Thread(target=self._read, name=f"capture on {host}", daemon=True)

    def __enter__(self) -> Self:
        """Begin: from here on nothing is missed."""
        self._socket = socket_on(
            self._bed,
            self._host,
            socket.AF_PACKET,
            socket.SOCK_RAW,
            socket.htons(EVERY_PROTOCOL),
        )
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._socket.settimeout(LOOK_S)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, after packets that are on their way have come."""
        time.sleep(SETTLE_S)
        self._ended.set()
        self._thread.join()
        _, lost = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self._socket.close()
        if kind is None:
            assert lost == 0, f"the kernel lost {lost} packets before they were seen"

    def packets(self, wanted: Callable[[Packet], bool] = lambda _: True) -> list[Packet]:
        """What has been seen so far."""
        return [packet for packet in list(self._packets) if wanted(packet)]

    def on(self, link: str) -> list[Packet]:
        """What has been seen of IP on one link."""
        return self.packets(lambda packet: packet.link == link and packet.kind in (IPV4, IPV6))

    def counts(self) -> Counter[str]:
        """How many packets of IP each link has carried, loopback too."""
        return Counter(packet.link for packet in self._packets if packet.kind in (IPV4, IPV6))

    def _read(self) -> None:
        while True:
            try:
                data, (link, kind, *_) = self._socket.recvfrom(65_536)
            except TimeoutError:
                if self._ended.is_set():
                    return
                continue
            self._packets.append(read_packet(link, kind, data))


def read_packet(link: str, kind: int, data: bytes) -> Packet:
    """What matters of a frame."""
    body = data[14:]
    if kind == IPV4 and len(body) >= 20:
        protocol, rest = body[9], body[(body[0] & 0xF) * 4 :]
        source, target = str(IPv4Address(body[12:16])), str(IPv4Address(body[16:20]))
    elif kind == IPV6 and len(body) >= 40:
        protocol, rest = body[6], body[40:]
        source, target = str(IPv6Address(body[8:24])), str(IPv6Address(body[24:40]))
    else:
        return Packet(link, kind)
    if protocol not in (TCP, UDP) or len(rest) < 8:
        return Packet(link, kind, protocol, source, target)
    ports = struct.unpack("!HH", rest[:4])
    flags = rest[13] if protocol == TCP and len(rest) > 13 else 0
    return Packet(link, kind, protocol, source, target, *ports, flags)
