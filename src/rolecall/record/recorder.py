"""The one place that writes down what became of a request. Allowed calls leave no line."""

import logging
from functools import partial

from rolecall.core import Call, Caller, Refusal
from rolecall.record.repeats import Later, Repeats

log = logging.getLogger("rolecall.requests")


class Recorder:
    """Writes refusals and failures to the log, with who and what, and never with a token.

    Args:
        later: how to come back when the window of a refusal ends, in which what repeats is
            counted and not written (`rolecall.record.repeats`); None: each is written.
    """

    def __init__(self, later: Later | None = None) -> None:
        self._repeats = Repeats(later) if later is not None else None

    def refused(
        self, request_id: str, refusal: Refusal, caller: Caller | None, call: Call | None
    ) -> None:
        """A request was refused, by us or for the sake of an upstream."""
        if self._repeats is not None:
            key = (
                refusal.reason,
                (caller.issuer, caller.subject, caller.actors) if caller is not None else None,
                (call.endpoint, call.model) if call is not None else None,
            )
            if self._repeats.counted(key):
                return
            # what a body asks for besides may be long, and is not written
            named = Call(call.endpoint, call.model) if call is not None else None
            again = partial(self._write, "refused", request_id, refusal, caller, named)
            self._repeats.keep(key, again)
        self._write("refused", request_id, refusal, caller, call)

    def broken_off(self, request_id: str, failure: Refusal, caller: Caller, call: Call) -> None:
        """A stream that had begun was ended with an error for the sake of an upstream."""
        self._write("broken off", request_id, failure, caller, call)

    def _write(  # noqa: PLR0913, PLR0917 - what a line says
        self,
        message: str,
        request_id: str,
        refusal: Refusal,
        caller: Caller | None,
        call: Call | None,
        repeated: int = 0,
    ) -> None:
        level = logging.WARNING if refusal.status >= 500 else logging.INFO
        if not log.isEnabledFor(level):
            return
        extra: dict[str, object] = {
            "request_id": request_id,
            "status": refusal.status,
            "reason": str(refusal.reason),
        }
        if caller is not None:
            extra |= {"issuer": caller.issuer, "subject": caller.subject}
            if caller.actors:
                extra["actors"] = [actor.members for actor in caller.actors]
            extra["roles"] = sorted(caller.roles)
        if call is not None:
            extra |= {"endpoint": call.endpoint, "model": call.model}
        if repeated:
            extra["repeated"] = repeated
        log.log(level, message, extra=extra)

    def upstream_refused(self, request_id: str, status: int, call: Call) -> None:
        """An upstream answered with an error, which was passed on."""
        log.warning(
            "upstream answered with an error",
            extra={
                "request_id": request_id,
                "status": status,
                "endpoint": call.endpoint,
                "model": call.model,
            },
        )

    def crashed(self, request_id: str, error: Exception) -> None:
        """A fault of our own: the only line with a traceback."""
        log.error("internal error", exc_info=error, extra={"request_id": request_id})
