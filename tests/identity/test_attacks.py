"""The threat table of docs/security.md: each attack meets the whole gateway, and its row's reason.

The page says which reasons an attack ends in and which tests look at it closely; both are held to
the code here.
"""

import re
import time
from pathlib import Path

import pytest

from rolecall.core import STATUS, Reason

from .parts.attacks import ATTACKS, World, with_proofs
from .parts.proofs import proof
from .parts.whole_gateway import running

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
HERE = Path(__file__).parent
ROW = re.compile(r"^\| ([TCK]\d\d) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
ROWS = {
    number: (CODE.findall(answer), CODE.findall(tests))
    for number, _, answer, tests in (match.groups() for match in ROW.finditer(PAGE))
}
# nothing listens at the upstream, so that this is how far a call can come
LET_THROUGH = (503, "upstream_unavailable")


@pytest.fixture
async def gateway(tmp_path):
    """A function of a token, or of headers: the status and body of what the gateway answers."""
    world = World(int(time.time()))
    async with running(tmp_path, world.configuration(tmp_path)) as whole:

        async def ask(credentials):
            if isinstance(credentials, bytes):
                credentials = [(b"authorization", b"Bearer " + credentials)]
            answer = await whole(credentials)
            head = "".join(map("".join, answer.headers.items())).encode()
            return answer.status, answer.reason, head + answer.body

        ask.world = world
        yield ask


def pieces(token):
    """Twelve characters of a token at every place where a log could have cut it."""
    return {token[place : place + 12] for place in range(0, min(len(token), 4000) - 12, 4)}


@pytest.mark.parametrize("number", ATTACKS)
async def test_each_attack_ends_in_the_reason_of_its_row(number, gateway, caplog):
    caplog.set_level("DEBUG")
    told, surprises = set(), {}
    for name, reason, sent in ATTACKS[number](gateway.world):
        *before, last = [sent] if isinstance(sent, bytes) else sent
        for credentials in before:
            assert (await gateway(credentials))[:2] == LET_THROUGH, name
        status, code, answer = await gateway(last)
        if code != reason or status != STATUS[Reason(code)]:
            surprises[name] = (status, code, reason)
        told.add(reason)
        log = caplog.text.encode("utf-8", "backslashreplace")
        values = [last] if isinstance(last, bytes) else [value for _, value in last]
        for value in values:
            assert not any(piece in answer or piece in log for piece in pieces(value)), name
        caplog.clear()
    assert not surprises
    assert told == set(ROWS[number][0])


async def test_a_token_without_a_fault_is_let_through(gateway):
    assert (await gateway(gateway.world.good()))[:2] == LET_THROUGH


async def test_a_bound_token_with_its_proof_is_let_through(gateway):
    token = gateway.world.bound()
    for _ in range(2):
        sent = with_proofs(token, proof(token, gateway.world.now))
        assert (await gateway(sent))[:2] == LET_THROUGH


def test_no_attack_of_the_table_is_without_its_tokens():
    assert ATTACKS.keys() == {number for number in ROWS if number.startswith("T")}


FUNCTIONS = {
    name: file.name
    for file in HERE.glob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("number", ROWS)
def test_the_tests_that_a_row_names_are_there_and_say_its_number(number):
    _, tests = ROWS[number]
    assert tests
    for test in tests:
        assert test in FUNCTIONS
        assert f"_{number.lower()}_" in test


CHECKLIST = {f"C{number:02}" for number in range(1, 48)}
THREATS = {f"T{number:02}" for number in range(1, 31)} | {
    f"K{number:02}" for number in range(1, 16)
}


def test_every_number_of_the_checklist_has_its_row():
    assert ROWS.keys() == CHECKLIST | THREATS


@pytest.mark.parametrize("number", sorted(CHECKLIST | THREATS))
def test_every_number_stands_in_the_name_of_a_test(number):
    assert [name for name in FUNCTIONS if f"_{number.lower()}_" in name]


ASVS = dict(re.findall(r"^\| (\d+\.\d+\.\d+) .*? \| (.*) \|$", PAGE, re.MULTILINE))
REQUIREMENTS = {"4.1.3", "4.2.1", "4.4.2"} | {
    f"{section}.{number}"
    for section, numbers in (("9.1", 3), ("9.2", 4), ("10.3", 5))
    for number in range(1, numbers + 1)
}
EVERYWHERE = {
    name
    for file in HERE.parent.rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
}


def test_every_requirement_of_asvs_has_its_row():
    assert ASVS.keys() == REQUIREMENTS


@pytest.mark.parametrize("requirement", sorted(REQUIREMENTS))
def test_the_rows_and_tests_that_a_requirement_names_are_there(requirement):
    where = ASVS[requirement]
    rows = set(re.findall(r"\b[CTK]\d\d\b", where))
    tests = {name for name in CODE.findall(where) if name.startswith("test_")}
    assert rows or tests
    assert rows <= ROWS.keys()
    assert tests <= EVERYWHERE
