"""Which hosts are this machine, found without a name server."""

from __future__ import annotations

import functools
import ipaddress
import re
import socket

_INET_ATON = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)


@functools.lru_cache(maxsize=100)
def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: a name or an address of the loopback interface, or the unspecified address.

    Also `localhost.`, names below `localhost`, `127.1`, `0.0.0.0`, `::` and IPv4 within IPv6, all of which connect to
    this machine.
    Source: RFC 6761, section 6.3; inet_aton(3)
    """
    name = host.strip("[]").lower().removesuffix(".")
    if ":" in name:
        name = name.partition("%")[0]  # without the zone of an IPv6 address
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _is_inet_aton_loopback(name)
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback or inner.is_unspecified)


def _is_inet_aton_loopback(name: str) -> bool:
    """Whether the C library reads `name`, such as `127.1` or `2130706433`, as this machine."""
    if not _INET_ATON.fullmatch(name):
        return False
    try:
        address = ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return False
    return address.is_loopback or address.is_unspecified
