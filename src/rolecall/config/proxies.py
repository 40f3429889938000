"""Which forward proxy leads to a URL: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``."""

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from rolecall.config import urls


def proxy_for(url: str) -> str | None:
    """The proxy's URL, or None where there is none, and always for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if urls.is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies_environment().get(parts.scheme)
