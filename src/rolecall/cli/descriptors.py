"""How many connections may be open at once: as many as the machine allows this process."""

import sys
from contextlib import suppress
from typing import Final

# macOS grants no more, whatever the hard limit says (OPEN_MAX, setrlimit(2))
_GRANTED_ANYWHERE: Final = 10_240


def allow_descriptors() -> int | None:
    """Raise the soft limit of open descriptors to the hard one, for this process and its workers.

    The soft limit is low (1,024 on most machines) for the sake of programs that use select(2),
    which cannot see a descriptor beyond that; the event loops here do not.

    Returns:
        The limit; None where there is none (Windows).
    """
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    for wanted in (hard, max(soft, _GRANTED_ANYWHERE)):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return soft
