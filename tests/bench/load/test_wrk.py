"""What wrk says, and what is made of it."""

import pytest

from bench.load import wrk
from bench.load.wrk import Load, WrongAnswers
from bench.programs import ProgramFailed

OUTPUT = """\
Running 2s test @ http://127.0.0.1:4000/v1/chat/completions
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   712.05us  108.23us   3.51ms   91.80%
    Req/Sec    22.64k   412.09    23.22k    66.67%
  47313 requests in 2.10s, 24.91MB read
  Non-2xx or 3xx responses: 2
Requests/sec:  22530.00
Transfer/sec:     11.86MB
{"requests": 47313, "seconds": 2.100000, "refused": 2, "broken": 1, "p50": 687, "p99": 1030}
"""
LOAD = Load(requests=100, seconds=2.0, refused=0, broken=0, p50=687, p99=1030)


def test_the_line_of_our_script_is_read():
    load = wrk.parse(OUTPUT)
    assert load == Load(47313, 2.1, refused=2, broken=1, p50=687, p99=1030)
    assert load.rps == pytest.approx(22530)


@pytest.mark.parametrize(
    "output", ["", "unable to connect to 127.0.0.1:4000 Connection refused\n", OUTPUT[:-100]]
)
def test_a_run_without_that_line_has_failed(output):
    with pytest.raises(ProgramFailed, match=r"^wrk: "):
        wrk.parse(output)


@pytest.mark.parametrize(("refused", "status"), [(0, 200), (100, 403)])
def test_answers_that_are_all_as_they_should_be_are_right(refused, status):
    wrk.check(Load(100, 2.0, refused, 0, 687, 1030), status)


@pytest.mark.parametrize(
    ("load", "status", "told"),
    [
        (Load(100, 2.0, 1, 0, 1, 1), 200, "1 of 100 answers are not 200"),
        (Load(100, 2.0, 99, 0, 1, 1), 403, "1 of 100 answers are not 403"),
        (Load(100, 2.0, 0, 3, 1, 1), 200, "3 connections failed beside 100 answers"),
        (Load(0, 2.0, 0, 0, 1, 1), 200, "no answers"),
        (Load(0, 2.0, 0, 16, 1, 1), 403, "no answers"),
    ],
)
def test_one_wrong_answer_fails_the_measurement(load, status, told):
    with pytest.raises(WrongAnswers, match=told):
        wrk.check(load, status)
