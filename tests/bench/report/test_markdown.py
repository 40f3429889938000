"""The run as Markdown."""

from bench.report import markdown

FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [60, 66, 72]},
    ("chat-16", "envoy"): {"cpu_us": [40, 44, 40]},
}
CHAT = """\
**chat-16: chat, remembered token, 16 connections**

| gateway | CPU µs | from, to | × Envoy |
| --- | ---: | ---: | ---: |
| Envoy | 40.0 | 40.0 to 44.0 | 1.00 |
| Rolecall | 66.0 | 60.0 to 72.0 | 1.50 |"""
LOSSES = """\
- chat, remembered token, 16 connections: 1.50 × the CPU time of Envoy
- missed: chat, remembered token: CPU against Envoy: 1.50 ×, where 0.8 × was the goal"""


def test_figures_are_tables(run):
    assert markdown.figures(run(FIGURES)) == CHAT


def test_losses_are_said_plainly(run):
    assert markdown.losses(run(FIGURES)) == LOSSES
    assert markdown.losses(run({})) == "Nowhere in this run."


def test_facts_name_the_machine_and_the_commit(run):
    facts = markdown.facts(run({}))
    for fact in ("2026-11-25", "Abacus 9000", "2 cores", "0123456789ab", "3 rounds", "1.40.0"):
        assert fact in facts


def test_a_reason_cannot_break_a_table(run):
    facts = markdown.facts(run({}, skipped={"nginx": "a | b\nc"}))
    assert "| nginx | not measured: a \\| b c |" in facts


def test_the_report_holds_it_all(run):
    report = markdown.report(run(FIGURES))
    assert CHAT in report
    assert markdown.goals(run(FIGURES)) in report
    assert report.endswith("\n")
