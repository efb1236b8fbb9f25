"""Which hosts are this machine, without asking any name server."""

from __future__ import annotations

import ipaddress
import re
import socket

_OLD_FORM = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", re.IGNORECASE)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine: a name or an address of the loopback, or the address of no other.

    Also `localhost.`, names below `localhost`, `127.1`, `0.0.0.0`, `::` and IPv4 within IPv6, which are connected to
    as that.
    Source: RFC 6761, section 6.3; inet_aton(3)
    """
    name = host.strip("[]").lower().removesuffix(".")
    if ":" in name:
        name = name.partition("%")[0]  # the zone of an IPv6 address; no other name has one
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _is_old_form(name)
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_loopback or inner.is_unspecified)


def _is_old_form(name: str) -> bool:
    """As `127.1` and `2130706433` are read by the C library."""
    if not _OLD_FORM.fullmatch(name):
        return False
    try:
        address = ipaddress.IPv4Address(socket.inet_aton(name))
    except OSError:
        return False
    return address.is_loopback or address.is_unspecified
