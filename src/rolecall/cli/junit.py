"""Verdicts as JUnit's XML, which build servers read."""

from pathlib import Path
from xml.etree import ElementTree as ET

from rolecall.cli.case_run import Run
from rolecall.cli.explanation import text_of


def write_junit(run: Run, path: Path) -> None:
    """Write one test suite a case file.

    Raises:
        OSError: the file cannot be written.
    """
    verdicts = run.verdicts
    root = ET.Element(
        "testsuites",
        tests=str(len(verdicts)),
        failures=str(sum(bool(verdict.faults) for verdict in verdicts)),
    )
    for file, judged in run.files:
        suite = ET.SubElement(
            root,
            "testsuite",
            name=str(file.path),
            tests=str(len(judged)),
            failures=str(sum(bool(verdict.faults) for verdict in judged)),
        )
        for verdict in judged:
            case = ET.SubElement(
                suite,
                "testcase",
                name=_printable(verdict.case.name),
                classname=str(file.path),
                file=verdict.case.source.file,
                line=str(verdict.case.source.line),
            )
            if verdict.faults:
                failure = ET.SubElement(case, "failure", message=_printable(verdict.faults[0]))
                why = text_of(verdict.explanation, verdict.caller, verdict.call)
                failure.text = "\n".join((*map(_printable, verdict.faults), why))
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return text if text.isprintable() else ascii(text)
