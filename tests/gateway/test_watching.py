"""A candidate beside the live policy changes nothing, is counted right, and can be replayed."""

import json
import re
import threading

import pytest
import yaml

from rolecall.config import ShadowSettings
from rolecall.core import Call, Caller, Circumstances, RoleClaim
from rolecall.gateway import compile_snapshot
from rolecall.gateway.watching import Shadow

from .parts import serving
from .parts.doors import CHAT, MESSAGES, TRANSLATED, WAYS
from .parts.polling import wait_until
from .parts.tokens import token

LIVE = [
    {"allow": ["user"], "models": ["gpt", "claude"]},
    {"allow": ["broken"], "models": ["gpt"], "when": 'claims.dept == "ml"'},
]
CANDIDATE = [
    {"allow": ["user"], "models": ["gpt"], "ceilings": {"max_tokens": 50}, "on_exceed": "clamp"},
    {"allow": ["user"], "models": ["claude"], "ceilings": {"n": 1}},
    {"allow": ["guest"], "models": ["gpt"]},
    {"deny": ["user"], "models": ["claude"], "when": "call.stream"},
]


def sections_of(folder, upstream, **more):
    roles = [{"role": name} for name in ("user", "guest", "broken")]
    return serving.configuration(folder, upstream.url, roles=roles, rules=LIVE, **more)


@pytest.fixture
def watched(tmp_path, upstream):
    """A gateway with a candidate and a file of decisions."""
    candidate = sections_of(tmp_path, upstream) | {"rules": CANDIDATE}
    (tmp_path / "candidate.yaml").write_text(yaml.safe_dump(candidate))
    sections = sections_of(
        tmp_path,
        upstream,
        shadow="candidate.yaml",
        decisions={"path": "decisions.jsonl", "include_claims": ["dept"]},
    )
    with serving.running(tmp_path, sections) as gateway:
        gateway.folder = tmp_path
        yield gateway


def ask(gateway, role, door, **fields):
    key = ("x-api-key", token(role, dept=fields.pop("dept", None)))
    return gateway.post(door.path, door.body(**fields), key, authorised=False)


def tallied(gateway):
    return dict(gateway.app._snapshot.watch.tally.shadow)


def decisions(gateway, number):
    path = gateway.folder / "decisions.jsonl"

    def lines():
        found = path.read_text().splitlines() if path.exists() else []
        return found if len(found) == number else None

    return [json.loads(line) for line in wait_until(lines, f"{number} decisions are written")]


def test_differences_are_counted_by_both_outcomes(watched):
    for role, door, fields in [
        ("user", CHAT, {}),
        ("user", CHAT, {"max_tokens": 10}),
        ("user", MESSAGES, {"n": 3}),
        ("user", TRANSLATED, {"stream": True}),
        ("user", CHAT, {"model": "secret"}),
        ("guest", CHAT, {}),
        ("broken", CHAT, {}),
        ("nobody", CHAT, {}),
        ("user", CHAT, {"maxTokens": 9}),
    ]:
        ask(watched, role, door, **fields)
    assert tallied(watched) == {
        ("allow", "lowered"): 1,
        ("allow", "allow"): 1,
        ("allow", "ceiling_exceeded"): 1,
        ("allow", "denied_by_rule"): 1,
        ("model_not_allowed", "model_not_allowed"): 1,
        ("model_not_allowed", "allow"): 1,
        ("condition_error", "model_not_allowed"): 1,
        ("no_role", "no_role"): 1,
        ("allow", "invalid_request"): 1,
    }
    assert watched.app._snapshot.watch.tally.condition_errors == 1


@pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)
@pytest.mark.parametrize("fields", [{}, {"stream": True}, {"model": "secret"}, {"n": 0.5}])
def test_answers_are_byte_for_byte_the_same(watched, the_upstream, tmp_path, door, fields):
    folder = tmp_path / "plain"
    folder.mkdir()
    with serving.running(folder, sections_of(folder, the_upstream)) as plain:
        replies = [ask(gateway, "user", door, **fields) for gateway in (watched, plain)]
    one, other = ((r.status, without_its_own(r), sorted(r.headers)) for r in replies)
    assert one == other


def without_its_own(reply):
    """The body without what is new in each."""
    body = reply.body.replace(reply.headers["x-request-id"].encode(), b"")
    return re.sub(rb'"created":[0-9]+', b"", body)


def test_under_load_every_call_is_counted_and_written_once(watched):
    def work():
        for _ in range(25):
            assert ask(watched, "user", CHAT, max_tokens=10).status == 200
            assert ask(watched, "guest", CHAT).status == 403

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tallied(watched) == {("allow", "allow"): 100, ("model_not_allowed", "allow"): 100}
    written = decisions(watched, 200)
    assert len({entry["request_id"] for entry in written}) == 200
    assert sum(entry["shadow"]["decision"] == "allow" for entry in written) == 200


def test_c47_whoever_acts_is_written_right_behind_the_subject(watched):
    act = {"sub": "planner", "act": {"client_id": "assistant"}}
    key = ("x-api-key", token("user", act=act))
    assert watched.post(CHAT.path, CHAT.body(), key, authorised=False).status == 200
    assert len(decisions(watched, 1)[0]["caller"]["actors"]) == 2
    line = (watched.folder / "decisions.jsonl").read_text()
    assert '"subject":"john","actors":[{"subject":"planner",' in line


def test_a_decision_is_written_with_the_facts_that_decide(watched):
    reply = ask(watched, "user", CHAT, dept="ml", max_tokens=100)
    (entry,) = decisions(watched, 1)
    rule = entry.pop("rule")
    assert rule.endswith("rolecall.yaml:" + rule.rpartition(":")[2])
    assert entry.pop("shadow")["exceeded"] == ["max_tokens"]
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "request_id": reply.headers["x-request-id"],
        "caller": {
            "issuer": "https://login.example.com/realms/test",
            "subject": "john",
            "actors": [],
            "client": None,
            "kind": "person",
            "roles": ["user"],
            "role_claims": [[["roles"], "user"]],
            "groups": [],
            "scopes": [],
            "teams": [],
            "email": None,
            "organization": None,
            "sign_in": None,
            "claims": {"dept": "ml"},
        },
        "call": {
            "endpoint": "chat",
            "model": "gpt",
            "stream": False,
            "parameters": {
                "max_tokens": 100,
                "n": 1,
                "reasoning_effort": None,
                "thinking_budget": None,
                "tools": [],
                "inputs": [],
                "web_search": False,
                "service_tier": None,
                "temperature": None,
                "size": len(json.dumps(CHAT.body())),
            },
        },
        "source_ip": "127.0.0.1",
        "headers": {},
        "decision": "allow",
        "reason": None,
        "exceeded": [],
    }
    assert "eyJ" not in (watched.folder / "decisions.jsonl").read_text()


def test_callers_are_remembered_beside_the_candidate_as_long_as_they_are_at_all(tmp_path, upstream):
    settings = serving.settings_of(tmp_path, sections_of(tmp_path, upstream))
    shadow = Shadow(ShadowSettings("gw.yaml", settings.roles, settings.rules, frozenset()))
    callers = [
        Caller("https://sso.example.com", f"{n}", role_claims=(RoleClaim(("roles",), "user"),))
        for n in range(5000)
    ]
    for caller in callers:
        decision = shadow.would(caller, Call("chat", "gpt"), Circumstances(0.0), None)
        assert decision.allowed
    assert len(shadow._callers) == 5000
    del caller, callers[10:]
    assert len(shadow._callers) == 10


def test_numbers_and_file_outlive_a_reload(watched, upstream):
    ask(watched, "guest", CHAT)
    settings = serving.settings_of(
        watched.folder,
        sections_of(watched.folder, upstream, decisions={"path": "decisions.jsonl"}),
    )
    watched.await_in_loop(watched.app.replace(compile_snapshot(settings)))
    ask(watched, "guest", CHAT)
    assert tallied(watched) == {("model_not_allowed", "allow"): 1}
    entries = decisions(watched, 2)
    assert ["shadow" in entry for entry in entries] == [True, False]


@pytest.mark.parametrize(("on_failure", "status"), [("continue", 200), ("stop", 503)])
def test_a_file_that_cannot_be_written_stops_calls_only_if_it_must(
    tmp_path, upstream, on_failure, status
):
    sections = sections_of(
        tmp_path, upstream, decisions={"path": "decisions.jsonl", "on_failure": on_failure}
    )
    (tmp_path / "decisions.jsonl").mkdir()
    with serving.running(tmp_path, sections) as gateway:
        ask(gateway, "user", CHAT)
        log = gateway.app._snapshot.watch.log
        wait_until(lambda: log.failing, "the failure is noticed")
        reply = ask(gateway, "user", CHAT)
        assert reply.status == status
        if status == 503:
            assert "cannot be written down" in CHAT.refused(reply, "upstream_unavailable")
