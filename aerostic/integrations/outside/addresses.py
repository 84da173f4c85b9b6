"""Which machines may be called at all: public ones, on the ports of the web.

The check is on the address that is dialled, so a name that changes its mind between question and call (DNS
rebinding) gains nothing, and neither does another way of writing 127.0.0.1.
"""

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aerostic.core.settings import Settings, settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IPv6 addresses that carry an IPv4 address for a translator to unpack (RFC 6052, RFC 8215), and the private
# and discarded ranges that Python counts as global.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = (
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("2001::/32"),  # Teredo
    ipaddress.IPv6Network("fec0::/10"),  # site-local, as it was once
    ipaddress.IPv6Network("::/96"),  # IPv4-compatible, as it was once
    ipaddress.IPv6Network("5f00::/16"),
)


class Forbidden(OSError):
    """The address may not be called. The sentence names it and says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Rules:
    """`ports` of public machines, and networks that may be called although they are private."""

    ports: frozenset[int] = frozenset({80, 443})
    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, given: Settings | None = None) -> "Rules":
        chosen = given or settings()
        networks = (ipaddress.ip_network(one, strict=False) for one in chosen.outside_allow)
        return cls(frozenset(chosen.outside_ports), tuple(networks))

    def check(self, host: str, address: str, port: int) -> None:
        """Raise Forbidden unless this machine may be called. `host` is how it was named."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if any(found in network for network in self.allowed):
            return
        if not is_public(found):
            raise Forbidden(
                f"{host} is not on the public internet, so it is not called from here ({found})."
            )
        if port not in self.ports:
            raise Forbidden(f"Port {port} of {host} is not called from here.")


def is_public(address: Address) -> bool:
    """Whether the whole internet means the same machine by it."""
    if isinstance(address, IPv6Address):
        inner = _carried(address)
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _NEVER):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside of a mapped, a translated or a 6to4 one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def dialled(info: tuple[object, ...]) -> tuple[str, int]:
    """Address and port of what a socket is being opened to."""
    place = info[4]
    assert isinstance(place, tuple)
    return str(place[0]), int(place[1])


def new_socket(info: tuple[object, ...]) -> socket.socket:
    family, kind, protocol = (info[part] for part in range(3))
    assert isinstance(family, int)
    assert isinstance(kind, int)
    assert isinstance(protocol, int)
    return socket.socket(family, kind, protocol)
