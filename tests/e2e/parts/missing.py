"""What happens when a real part is not on the machine: on a developer's a skip, in CI a failure."""

import os
from typing import NoReturn

import pytest

LOUD = "REAL PART MISSING"


def missing(part: str, why: str) -> NoReturn:
    """Skip the test with a loud reason; fail it where ``CI=true``."""
    reason = f"{LOUD}: {part}: {why}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
