"""A run's files: the figures, and what is made of them for a reader."""

from pathlib import Path

from bench import results
from bench.places import PAGE
from bench.report import chart, markdown, page
from bench.results import Results


def write(found: Results, folder: Path, name: str) -> list[Path]:
    """Write JSON, Markdown and chart."""
    paths = [folder / f"{name}{suffix}" for suffix in (".json", ".md", ".svg")]
    results.write(found, paths[0])
    paths[1].write_text(markdown.report(found), encoding="utf-8")
    paths[2].write_text(chart.drawn(found), encoding="utf-8")
    return paths


def renew_page(found: Results) -> Path:
    """Renew the tables of the documentation."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.filled(text, page.blocks(found)), encoding="utf-8")
    return PAGE
