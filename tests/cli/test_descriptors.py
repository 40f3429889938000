"""The limit of open descriptors, in processes of their own: a limit that is lowered stays so."""

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="Windows has no such limit")

PROGRAM = """
import resource, sys
from rolecall.cli.descriptors import allow_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, tuple(map(int, sys.argv[1:])))
print(allow_descriptors(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard"), [(256, 512), (512, 512), (64, 64)], ids=["raised", "as it is", "low"]
)
def test_the_soft_limit_becomes_the_hard_one(soft, hard):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(soft), str(hard)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [str(hard)] * 3, done.stderr
