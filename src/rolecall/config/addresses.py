"""Which IP addresses are everybody's, and which are this machine's or a private network's."""

import ipaddress
from typing import Final

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet.

    It is not when it is loopback, private, link-local (the metadata services of clouds live
    there), shared by a carrier, multicast or reserved. An IPv4 address inside an IPv6 address
    (mapped: RFC 4291 2.5.5.2, 6to4: RFC 3056, NAT64: RFC 6052) counts as itself.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    inner = _embedded(found) if isinstance(found, ipaddress.IPv6Address) else found
    if inner is None:
        return found.is_global and not (
            found.is_multicast or found.is_reserved or getattr(found, "is_site_local", False)
        )
    return inner.is_global and not (inner.is_multicast or inner.is_reserved)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
