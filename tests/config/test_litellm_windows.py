"""LiteLLM's ``access_windows``: when a model is for some teams alone, and what is not clear."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rolecall.core import Call, Caller, Circumstances
from rolecall.policy import compile_policy, decide, explain

HEAD = """\
issuers: [{issuer: 'https://login.example.com', audience: gw, teams: [team]}]
roles: [{role: r}]
rules: [{allow: [r], models: [m, n]}]
"""
MODEL = (
    "  - {model_name: m, litellm_params: {model: gpt-4o, api_key: k},"
    " model_info: {access_windows: [%s]}}\n"
)


def configuration(*windows):
    return f"{HEAD}model_list:\n{MODEL % ', '.join(windows)}"


def window(start, end, teams="[t]", timezone="Europe/Berlin"):
    return f"{{start: '{start}', end: '{end}', timezone: {timezone}, team_ids: {teams}}}"


def answer(settings, when, teams=(), model="m"):
    caller = Caller(
        "https://login.example.com", "ada", roles=frozenset({"r"}), teams=frozenset(teams)
    )
    zone = ZoneInfo("Europe/Berlin")
    now = datetime.fromisoformat(when).replace(tzinfo=zone).timestamp()
    table = compile_policy(settings.roles, settings.rules)
    return table, caller, Call("chat", model), Circumstances(now)


DAY = [window("09:00", "17:30")]
NIGHT = [window("22:00", "06:00")]
EXACT = [window("09:00:05", "09:00:10")]
TO_MIDNIGHT = [window("18:00", "00:00")]
TWO = [window("09:00", "17:00", "[t]"), window("12:00", "20:00", "[u, v]")]
APART = [window("09:00", "12:00", "[t]"), window("12:00", "20:00", "[u]")]
ABROAD = [window("09:00", "17:00", "[t]"), window("00:00", "12:00", "[u]", "America/New_York")]

CASES = [
    (DAY, "2026-06-01T08:59:59", (), True),
    (DAY, "2026-06-01T09:00:00", (), False),
    (DAY, "2026-06-01T09:00:00", ("t",), True),
    (DAY, "2026-06-01T09:00:00", ("T", "u"), False),
    (DAY, "2026-06-01T17:29:59", (), False),
    (DAY, "2026-06-01T17:30:00", (), True),
    # it is the clock on the wall that counts, in summer and in winter
    (DAY, "2026-12-01T09:00:00", (), False),
    (DAY, "2026-12-01T08:59:59", (), True),
    # on the night of 2026-10-25 02:30 comes twice
    ([window("02:00", "03:00")], "2026-10-25T02:30:00", (), False),
    (NIGHT, "2026-06-01T21:59:59", (), True),
    (NIGHT, "2026-06-01T22:00:00", (), False),
    (NIGHT, "2026-06-02T00:00:00", (), False),
    (NIGHT, "2026-06-02T05:59:59", (), False),
    (NIGHT, "2026-06-02T05:59:59", ("t",), True),
    (NIGHT, "2026-06-02T06:00:00", (), True),
    (EXACT, "2026-06-01T09:00:04", (), True),
    (EXACT, "2026-06-01T09:00:09", (), False),
    (EXACT, "2026-06-01T09:00:10", (), True),
    (TO_MIDNIGHT, "2026-06-01T23:59:59", (), False),
    (TO_MIDNIGHT, "2026-06-02T00:00:00", (), True),
    # while several are open, the teams of each may call
    (TWO, "2026-06-01T10:00:00", ("u",), False),
    (TWO, "2026-06-01T13:00:00", ("u",), True),
    (TWO, "2026-06-01T13:00:00", ("t",), True),
    (TWO, "2026-06-01T13:00:00", ("w",), False),
    (TWO, "2026-06-01T18:00:00", ("t",), False),
    (TWO, "2026-06-01T18:00:00", ("v",), True),
    (APART, "2026-06-01T11:00:00", ("u",), False),
    (APART, "2026-06-01T12:00:00", ("u",), True),
    (APART, "2026-06-01T12:00:00", ("t",), False),
    (ABROAD, "2026-06-01T08:00:00", ("u",), True),
    (ABROAD, "2026-06-01T10:00:00", ("u",), True),
    (ABROAD, "2026-06-01T08:00:00", ("t",), False),
]


@pytest.mark.parametrize(("windows", "when", "teams", "allowed"), CASES)
def test_within_a_window_the_model_is_for_its_teams(settings, windows, when, teams, allowed):
    decision = decide(*answer(settings(configuration(*windows)), when, teams))
    assert decision.allowed is allowed
    if not allowed:
        assert decision.reason == "denied_by_rule"
        assert decision.rule.source.line == 5


def test_other_models_have_no_window(settings):
    read = settings(configuration(*DAY))
    assert decide(*answer(read, "2026-06-01T10:00:00", model="n")).allowed


def test_an_explanation_tells_of_the_window(settings):
    read = settings(configuration(window("09:00", "17:30", "[t, u]")))
    explanation = explain(*answer(read, "2026-06-01T10:00:00"))
    closed = "reserved for the teams t and u from 09:00 to 17:30 in Europe/Berlin"
    (step,) = (step for step in explanation.steps if step.subject.startswith("deny"))
    assert step.outcome == f"matches: denies: {closed}"
    (change,) = explanation.changes
    assert change.sentence.endswith(f"would allow it (it denies: {closed})")


def test_windows_that_are_never_open_together_are_written_without_each_other(settings):
    first, second, _ = settings(configuration(*APART)).rules
    assert first.when.text == (
        'now.getHours("Europe/Berlin") >= 9 && now.getHours("Europe/Berlin") < 12'
        ' && !("t" in caller.teams)'
    )
    assert '"t"' not in second.when.text


ERRORS = {
    "a number": (
        configuration("{start: 900, end: '17:00', timezone: UTC, team_ids: [t]}"),
        ["access_windows[0].start: "],
    ),
    "no time of day": (
        configuration(window("24:00", "9:00")),
        ["access_windows[0].start: is no time of day", "[0].end: is no time of day"],
    ),
    "an offset": (
        configuration(window("09:00Z", "17:00+02:00")),
        ["[0].start: is no time of day", "without an offset: timezone says whose"],
    ),
    "no time zone": (
        configuration(window("09:00", "17:00", timezone="Europe/Berln")),
        ["access_windows[0]: ", "names no time zone that this machine knows: 'Europe/Berln'"],
    ),
    "an offset for a time zone": (
        configuration(window("09:00", "17:00", timezone="'+02:00'")),
        ["[0].timezone: is no name of a time zone; write Europe/Berlin."],
    ),
    "the machine's time zone": (
        configuration(window("09:00", "17:00", timezone="localtime")),
        ["[0].timezone: is no name of a time zone"],
    ),
    "from and to the same": (
        configuration(window("09:00", "09:00")),
        ["[0]: begins when it ends, which says neither always nor never"],
    ),
    "no team": (
        configuration(window("09:00", "17:00", "[]")),
        ["access_windows[0].team_ids"],
    ),
    "no end": (
        configuration("{start: '09:00', timezone: UTC, team_ids: [t]}"),
        ["access_windows[0].end"],
    ),
    "days, which LiteLLM does not have": (
        configuration("{start: '09:00', end: '17:00', timezone: UTC, team_ids: [t], days: [mon]}"),
        ["access_windows[0].days: unknown key"],
    ),
    "deployments of one name that differ": (
        configuration(*DAY) + MODEL % window("10:00", "17:00"),
        ["model_list[1].model_info.access_windows: is not what another deployment of m says"],
    ),
    "a native deployment of that name": (
        configuration(*DAY) + "models: [{name: m, model: gpt-4o, api_key: k}]\n",
        ["model_list[0].model_info.access_windows: is not what another deployment of m says"],
    ),
}


@pytest.mark.parametrize(("text", "sentences"), ERRORS.values(), ids=ERRORS)
def test_what_a_window_does_not_say_clearly_is_an_error(told, text, sentences):
    errors = "\n".join(line for line in told(text) if " error: " in line)
    for sentence in sentences:
        assert sentence in errors


def test_deployments_of_one_name_may_have_the_same_windows(settings):
    read = settings(configuration(*DAY) + MODEL % DAY[0])
    assert [rule.effect for rule in read.rules] == ["deny", "allow"]
