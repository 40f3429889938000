"""``python -m rolecall.config FILE``: reads it for `load_apart`, whose process stays small."""

import os
import pickle
import sys
from pathlib import Path

from rolecall.config.problems import ConfigurationError, Problem
from rolecall.config.reading import ALLOW_UNKNOWN, Loaded, load


def main() -> None:
    """Write the settings, or what is wrong with them, to standard output."""
    told: Loaded | tuple[Problem, ...]
    try:
        told = load(Path(sys.argv[1]), os.environ, allow_unknown=ALLOW_UNKNOWN in sys.argv[2:])
    except ConfigurationError as error:
        told = error.problems
    sys.stdout.buffer.write(pickle.dumps(told))


if __name__ == "__main__":
    main()
