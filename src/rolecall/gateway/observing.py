"""What looks on while calls are decided; none of it changes a decision."""

from collections.abc import Callable
from typing import Any

from rolecall.core import Circumstances, Decision
from rolecall.gateway.exchange import Exchange

Observe = Callable[[Exchange, dict[str, Any], int, float, Circumstances | None, Decision], None]
"""Is told of a decision: the exchange, the body before it is lowered, its length in bytes, the time
in seconds since the epoch, the circumstances if they mattered, and the decision."""


def show_decision(  # noqa: PLR0913, PLR0917 - observers are called alike
    exchange: Exchange,
    body: dict[str, Any],  # noqa: ARG001 - observers are called alike
    size: int,  # noqa: ARG001
    now: float,  # noqa: ARG001
    around: Circumstances | None,  # noqa: ARG001
    decision: Decision,
) -> None:
    """Say in the answer's ``x-rolecall-decision`` what was decided, and by which rule."""
    words = ["allow" if decision.allowed else f"deny; reason={decision.reason}"]
    if decision.exceeded:
        words.append(f"exceeded={','.join(excess.parameter for excess in decision.exceeded)}")
    if decision.rule is not None:
        # the file's name may hold what a header cannot
        place = str(decision.rule.source).encode("ascii", "backslashreplace").decode()
        quoted = place.replace("\\", "\\\\").replace('"', '\\"')
        words.append(f'rule="{quoted}"')
    exchange.added.append((b"x-rolecall-decision", "; ".join(words).encode()))
