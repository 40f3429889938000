"""Where a configuration is read: here, or in a process of its own.

The libraries that check a configuration take more memory than a whole gateway without them, and
reading one takes the interpreter away from requests for a third of a second.
"""

import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rolecall.config.problems import ConfigurationError, Problem
from rolecall.config.settings import Settings

ALLOW_UNKNOWN: Final = "--allow-unknown"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that can be used, and what is said about them.

    Attributes:
        warnings: what should be mended.
        secrets: what is written out in the file.
        notes: where it is read otherwise than LiteLLM does.
    """

    settings: Settings
    warnings: tuple[Problem, ...]
    secrets: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def load(
    path: Path,
    environ: Mapping[str, str],
    *,
    allow_unknown: bool = False,
    offline: bool = False,
) -> Loaded:
    """Read a configuration file in either dialect, or both mixed.

    Args:
        path: the YAML file.
        environ: the environment, for references and the ``JWT_*`` variables.
        allow_unknown: unknown keys are warnings and not errors.
        offline: the settings will not be served: variables may be missing, and a stand-in takes
            their place.

    Raises:
        ConfigurationError: with every problem found, each at its file, line and column.
    """
    from rolecall.config.document import read  # noqa: PLC0415 - so that `load_apart` goes without
    from rolecall.config.loading import load_document  # noqa: PLC0415

    return load_document(read(path), environ, allow_unknown=allow_unknown, offline=offline)


def load_apart(path: Path, *, allow_unknown: bool = False) -> Loaded:
    """The same with the environment of this process, read in one of its own.

    Raises:
        ConfigurationError: as `load`, or because that process has failed.
    """
    # -P: no module of the folder that we were started in
    command = [sys.executable, "-P", "-m", "rolecall.config", str(path)]
    if allow_unknown:
        command.append(ALLOW_UNKNOWN)
    # our own command, no shell
    reader = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603
    if reader.returncode != 0:
        why = f"cannot be read: the process that read it ended with status {reader.returncode}."
        raise ConfigurationError((Problem("error", str(path), 0, 0, "", why),))
    told = pickle.loads(reader.stdout)  # noqa: S301 - our own process has written it
    if isinstance(told, Loaded):
        return told
    raise ConfigurationError(told)
