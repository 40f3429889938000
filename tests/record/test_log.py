import json
import logging
import re

import pytest

from rolecall.record import configure

log = logging.getLogger("rolecall.test")


@pytest.fixture
def logged(capsys):
    """Configure the log and give back what a function has written; the former log comes back."""
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    quiet = {
        name: logging.getLogger(name).level for name in ("uvicorn", "uvicorn.error", "asyncio")
    }
    root.handlers[:] = []

    def logged(log_format, write):
        configure(log_format)
        write()
        return capsys.readouterr().err

    yield logged
    root.handlers[:] = former
    root.setLevel(level)
    for name, former_level in quiet.items():
        logging.getLogger(name).setLevel(former_level)


def test_text_is_one_line_a_fact(logged):
    written = logged("text", lambda: log.info("refused %s", "so", extra={"status": 403, "b": "c"}))
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO refused so status=403 b=c\n", written)


def test_json_is_one_object_a_line(logged):
    extra = {"status": 403, "roles": ["a", "b"], "path": {1}}
    written = logged("json", lambda: log.warning("refused", extra=extra))
    entry = json.loads(written)
    assert written.count("\n") == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.pop("time"))
    assert entry == {
        "level": "warning",
        "message": "refused",
        "status": 403,
        "roles": ["a", "b"],
        "path": "{1}",
    }


HOSTILE = "a\r\nb\x1b[31m\x00\x7f\x9b\u2028\u202e\ud800"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_others_have_written_cannot_start_a_line_or_steer_a_terminal(logged, log_format):
    def write():
        log.info("model %s", HOSTILE, extra={"model": HOSTILE})

    written = logged(log_format, write)
    assert written.count("\n") == 1
    assert written.removesuffix("\n").isprintable()


def test_json_keeps_the_value_of_what_it_escapes(logged):
    entry = json.loads(logged("json", lambda: log.info("m", extra={"model": HOSTILE})))
    assert entry["model"] == HOSTILE


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_fault_of_our_own_is_written_with_its_traceback(logged, log_format):
    error = ZeroDivisionError("by nothing")
    written = logged(log_format, lambda: log.error("internal error", exc_info=error))
    assert "ZeroDivisionError: by nothing" in written


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio"])
def test_the_servers_own_chatter_is_left_out(logged, name):
    assert logged("text", lambda: logging.getLogger(name).info("Started")) == ""
    assert "Trouble" in logged("text", lambda: logging.getLogger(name).warning("Trouble"))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_details_for_developers_are_left_out(logged, log_format):
    assert logged(log_format, lambda: log.debug("detail")) == ""
