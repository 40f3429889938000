"""What counts as this computer."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host in a URL is this computer: a loopback address, or ``localhost``."""
    return host == "localhost" or is_loopback_address(host)


def is_loopback_address(host: str) -> bool:
    """Tell whether it is a loopback address; a name is not, since it may come to mean another."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
