"""Verdicts as JUnit's XML, which build servers read."""

from pathlib import Path
from xml.etree import ElementTree as ET

from rolecall.cli.case_run import Run


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
                name=verdict.case.name,
                classname=str(file.path),
                file=verdict.case.source.file,
                line=str(verdict.case.source.line),
            )
            if verdict.faults:
                failure = ET.SubElement(case, "failure", message=verdict.faults[0])
                failure.text = "\n".join(verdict.faults)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
