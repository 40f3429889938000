"""What policy may ask of a request besides its token and its body: time, address, headers."""

from collections.abc import Mapping

from rolecall.core import Circumstances, Reason, Refusal
from rolecall.gateway.asgi import Scope
from rolecall.upstream import Headers


def circumstances(scope: Scope, now: float, readable: frozenset[str]) -> Circumstances:
    """The circumstances of a request, as far as conditions may read them.

    Args:
        scope: the request.
        now: seconds since the epoch.
        readable: the headers that conditions may read, in lower case.

    Raises:
        Refusal: ``invalid_request`` where a header that conditions may read is sent twice, or is
            not text.
    """
    client = scope.get("client")
    return Circumstances(
        now=now,
        source_ip=client[0] if client else None,
        headers=_listed(scope["headers"], readable),
    )


def _listed(headers: Headers, names: frozenset[str]) -> Mapping[str, str]:
    if not names:
        return {}
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1")
        if name not in names:
            continue
        if name in found:
            raise Refusal(Reason.INVALID_REQUEST, f"The header {name} was sent more than once.")
        try:
            # white space around a value is no part of it (RFC 9110 5.5)
            found[name] = value.strip(b" \t").decode()
        except UnicodeDecodeError:
            raise Refusal(Reason.INVALID_REQUEST, f"The header {name} is not UTF-8.") from None
    return found
