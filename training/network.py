"""By which network interface do ranks of several hosts meet? The one by which this host reaches the first rank.

Left to itself gloo takes the address of the host's own name. On many hosts (Debian and Ubuntu write it so) that is a
loopback address, which no other host can reach. NCCL looks at the interfaces themselves.
"""

import ipaddress
import os
import socket

import psutil

CHOICE = "GLOO_SOCKET_IFNAME"
ELSEWHERE = "192.0.2.1"
"""An address that no host has (RFC 5737); asking for the way there sends nothing."""


def choose_interface() -> None:
    """Set ``GLOO_SOCKET_IFNAME`` for the address ``MASTER_ADDR``; one that is set stays.

    The first host may know itself by a loopback address, where others know it by another: with ranks on several hosts
    its interface is that of its default route. Where there is no way, nothing is set.
    """
    if CHOICE in os.environ:
        return
    ranks = os.environ["WORLD_SIZE"]
    is_spread = os.environ.get("LOCAL_WORLD_SIZE", ranks) != ranks
    source = _source(os.environ["MASTER_ADDR"])
    if is_spread and source and _is_loopback(source):
        source = _source(ELSEWHERE)
    found = [
        name for name, addresses in psutil.net_if_addrs().items() if source in (each.address for each in addresses)
    ]
    if found:
        os.environ[CHOICE] = found[0]


def _source(address: str) -> str | None:
    """The address of this host's from which it reaches another one; None if it does not."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
