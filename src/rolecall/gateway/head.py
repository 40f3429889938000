"""What the head of a call says, worked out once for as long as the same head comes again."""

from dataclasses import dataclass, field
from typing import Final

from rolecall.gateway.asgi import Scope
from rolecall.gateway.body import check_head
from rolecall.gateway.credentials import find_token
from rolecall.gateway.http1 import KEPT
from rolecall.identity import fingerprint
from rolecall.upstream import Deployment, Fields, passed_on
from rolecall.wire import check_query

_HEAD: Final = "head"
_MOST: Final = 16
_NONE: Final[dict[str, dict[str, "Head"]]] = {}


@dataclass(slots=True)
class Head:
    """The head of a call.

    Attributes:
        token: as `find_token` found it.
        fingerprint: of the token.
        checked: whether what it says of body and query was found right.
    """

    token: bytes
    fingerprint: bytes
    checked: bool = False
    _passed: dict[Deployment, Fields] = field(default_factory=dict)

    def check(self, scope: Scope, max_bytes: int) -> None:
        """Check what it says of body and query, before a byte of the body is read.

        Raises:
            Refusal: ``unsupported_media_type``, ``too_large`` or ``invalid_request``.
        """
        check_head(scope["headers"], max_bytes)
        if scope["query_string"]:
            check_query(scope["query_string"])
        self.checked = True

    def passed(self, scope: Scope, deployment: Deployment) -> Fields:
        """What of it goes to a deployment; its length, which may change, never does."""
        fields = self._passed.get(deployment)
        if fields is None:
            if len(self._passed) >= _MOST:
                # those of generations that were replaced
                self._passed.clear()
            fields = self._passed[deployment] = passed_on(deployment, scope["headers"])
        return fields


def read_head(scope: Scope) -> Head:
    """The head of a call.

    Raises:
        Refusal: as `find_token` does.
    """
    kept: dict[str, Head] | None = scope.get("extensions", _NONE).get(KEPT)
    if kept is None:
        return _read(scope)
    head = kept.get(_HEAD)
    if head is None:
        head = kept[_HEAD] = _read(scope)
    return head


def _read(scope: Scope) -> Head:
    token = find_token(scope["headers"])
    return Head(token, fingerprint(token))
