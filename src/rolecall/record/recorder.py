"""The one place that writes down what became of a request. Allowed calls leave no line."""

import logging

from rolecall.core import Call, Caller, Refusal

log = logging.getLogger("rolecall.requests")


class Recorder:
    """Writes refusals and failures to the log, with who and what, and never with a token."""

    def refused(
        self, request_id: str, refusal: Refusal, caller: Caller | None, call: Call | None
    ) -> None:
        """A request was refused, by us or for the sake of an upstream."""
        self._write("refused", request_id, refusal, caller, call)

    def broken_off(self, request_id: str, failure: Refusal, caller: Caller, call: Call) -> None:
        """A stream that had begun was ended with an error for the sake of an upstream."""
        self._write("broken off", request_id, failure, caller, call)

    def _write(
        self,
        message: str,
        request_id: str,
        refusal: Refusal,
        caller: Caller | None,
        call: Call | None,
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
            extra |= {
                "issuer": caller.issuer,
                "subject": caller.subject,
                "roles": sorted(caller.roles),
            }
        if call is not None:
            extra |= {"endpoint": call.endpoint, "model": call.model}
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
