"""``include:``: teams own files of their own, and grant no more than their owner may."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rolecall.config import environment
from rolecall.config.document import Document, KeyPath, read
from rolecall.config.globs import matches
from rolecall.config.policy_schema import IncludedFile, IncludeEntry, OwnerSection
from rolecall.config.problems import ConfigurationError
from rolecall.config.validation import validated
from rolecall.core import MODEL_ENDPOINTS, RoleMapping, Rule


@dataclass(frozen=True, slots=True)
class Included:
    """One file that another includes.

    Attributes:
        document: as it was read; what is wrong in it is reported there.
        file: its sections.
        owners: within whose bounds it must keep: its own, and those of the files above it.
    """

    document: Document
    file: IncludedFile
    owners: tuple[OwnerSection, ...]


def read_included(
    entries: Iterable[IncludeEntry],
    document: Document,
    environ: Mapping[str, str],
    *,
    allow_unknown: bool,
    offline: bool,
) -> list[Included]:
    """Read every file that a document includes, and those that these include.

    What is wrong is reported in ``document``, or in the document that it is wrong in.
    """
    found: list[Included] = []
    taken: set[Path] = set()

    def visit(
        entries: Iterable[IncludeEntry],
        document: Document,
        above: tuple[Path, ...],
        owners: tuple[OwnerSection, ...],
    ) -> None:
        for index, entry in enumerate(entries):
            at: KeyPath = ("include", index, "file")
            bounds = owners if entry.owner is None else (*owners, entry.owner)
            for path in _paths(entry.file, above[-1].parent, at, document):
                whole = path.resolve()
                if whole in {one.resolve() for one in above}:
                    circle = " → ".join(str(one) for one in (*above, path))
                    document.report(at, f"a file includes itself: {circle}.")
                elif whole in taken:
                    document.report(at, f"{path} is included twice; keep one.")
                else:
                    taken.add(whole)
                    one = _read(path, at, document, bounds)
                    if one is not None:
                        found.append(one)
                        visit(one.file.include, one.document, (*above, path), bounds)

    def _read(
        path: Path, at: KeyPath, document: Document, owners: tuple[OwnerSection, ...]
    ) -> Included | None:
        try:
            inner = read(path)
            environment.resolve(inner, environ, offline=offline)
            file = validated(inner, IncludedFile, allow_unknown=allow_unknown)
        except ConfigurationError as error:
            document.report(at, f"{path} cannot be used.")
            document.problems.extend(error.problems)
            return None
        return Included(inner, file, owners)

    visit(entries, document, (Path(document.file),), ())
    return found


def _paths(pattern: str, folder: Path, at: KeyPath, document: Document) -> list[Path]:
    if "*" not in pattern:
        return [folder / pattern]
    try:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
    except (ValueError, NotImplementedError) as error:
        document.report(at, f"is no pattern of files: {error}.")
        return []
    if not found:
        document.report(at, "matches no file.")
    return found


def check_bounds(
    included: Included,
    mappings: Iterable[tuple[KeyPath, RoleMapping]],
    rules: Iterable[tuple[KeyPath, Rule]],
) -> None:
    """Report whatever an included file gives, allows or denies beyond its owners' bounds."""
    document = included.document
    for owner in included.owners:
        for path, mapping in mappings:
            for role in (mapping.role, *mapping.includes):
                _check(document, path, owner, "gives the role", role, owner.roles)
        for path, rule in rules:
            for role in rule.roles:
                _check(document, path, owner, "speaks of the role", role, owner.roles)
            for model in rule.models:
                _check(document, path, owner, "speaks of the model", model, owner.models)
            for endpoint in MODEL_ENDPOINTS if "*" in rule.endpoints else rule.endpoints:
                _check(document, path, owner, "speaks of", endpoint, owner.endpoints)


def _check(  # noqa: PLR0913, PLR0917 - who may not do what, and where
    document: Document, path: KeyPath, owner: OwnerSection, verb: str, name: str, bound: list[str]
) -> None:
    # a pattern keeps within another if that matches it as it is written
    if not any(matches(pattern, name) for pattern in bound):
        document.report(path, f"{verb} {name!r}, and {owner.name} owns {', '.join(bound)} alone.")
