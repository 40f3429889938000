"""``GET /metrics``: to whoever the configuration admits."""

from collections.abc import Mapping

from rolecall.core import Reason, Refusal
from rolecall.gateway.credentials import authenticated, find_token
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.snapshot import Snapshot
from rolecall.record import Figures


async def admit(exchange: Exchange, snapshot: Snapshot) -> None:
    """Let a scraper in.

    Raises:
        Refusal: there are no metrics here, or they are not for this caller.
    """
    metrics = snapshot.settings.metrics
    if metrics is None:
        raise Refusal(
            Reason.NOT_FOUND, "The gateway shows no metrics; metrics: in its configuration does."
        )
    if metrics.roles is None:
        return
    token = find_token(exchange.scope["headers"])
    exchange.caller = caller = await authenticated(token, exchange, snapshot)
    if caller.roles.isdisjoint(metrics.roles):
        held = ", ".join(sorted(caller.roles)) or "none"
        raise Refusal(Reason.ENDPOINT_NOT_ALLOWED, f"Your roles ({held}) may not read the metrics.")


async def send_metrics(exchange: Exchange, figures: Mapping[str, Figures]) -> None:
    """Answer in the format that the scraper asks for."""
    # a gateway that nobody scrapes goes without the library
    from rolecall.record.metrics import exposition  # noqa: PLC0415

    accept = b",".join(value for name, value in exchange.scope["headers"] if name == b"accept")
    body, media_type = exposition(figures, accept.decode("latin-1"))
    headers = [
        (b"content-type", media_type.encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", exchange.request_id.encode()),
    ]
    await exchange.answer(200, headers, body)
