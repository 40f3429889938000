"""Keycloak's roles, a policy, a real model: a changed policy loses no call, and counts at once."""

import asyncio
import itertools
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .parts import gateway as gateways
from .parts.keycloak import CLIENT, WORKLOAD
from .parts.load import Caller, Dropped, Got
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP"),
]

MODELS = ("anthropic-claude", "openai-gpt-4o")
CHANGES = 4
CALLS = 40
"""So many calls at least are answered between two changes."""

CONFIG = """
general_settings:
  enable_jwt_auth: True
  litellm_jwtauth:
    user_roles_jwt_field: "resource_access.litellm-test-client-id.roles"
    user_allowed_roles: ["basic_user"]
    enforce_rbac: true
  role_permissions:
    - role: internal_user
      models: ["{allowed}"]
model_list:
  - model_name: anthropic-claude
    litellm_params: {{model: claude-3-5-haiku-20241022, api_base: {model}, api_key: k}}
  - model_name: openai-gpt-4o
    litellm_params: {{model: gpt-4o, api_base: {model}, api_key: k}}
metrics:
  roles: any
issuers:
  # whose tokens nobody has: its name tells in the metrics which file a process serves
  - {{issuer: "https://generation-{number}.example", audience: none, jwks_file: {keys}}}
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """One call that got its answer: when it was sent, when all was there, and who was allowed."""

    began: float
    ended: float
    allowed: str


@dataclass
class Crowd:
    """Callers with Keycloak's tokens who ask for both models again and again.

    Attributes:
        answered: calls whose answer tells which model the policy allows.
        strangers: how often a caller without a role was refused for that.
        lost: calls that got no whole answer, or one that no policy gives.
    """

    port: int
    answered: list[Answered] = field(default_factory=list)
    strangers: int = 0
    lost: list[str] = field(default_factory=list)
    done: bool = False

    async def until(self, more):
        wanted = len(self.answered) + more
        while len(self.answered) < wanted:
            assert not self.lost, self.lost
            await asyncio.sleep(0.01)

    async def call_on(self, token, *, member):
        caller = Caller(self.port)
        turns = itertools.cycle([(model, stream) for stream in (False, True) for model in MODELS])
        try:
            await caller.connect()
            while not self.done:
                await self.call(caller, token, *next(turns), member=member)
        except (Dropped, ConnectionError) as error:
            self.lost.append(repr(error))
        finally:
            caller.close()

    async def call(self, caller, token, model, stream, *, member):
        began = time.monotonic()
        got = await caller.call(request(token, model, stream=stream))
        ended = time.monotonic()
        said = outcome(got, stream=stream)
        if got.last:
            self.lost.append(f"the connection ends: {got}")
        elif not member and said == "no_role":
            self.strangers += 1
        elif member and said == "answer":
            self.answered.append(Answered(began, ended, model))
        elif member and said == "model_not_allowed":
            (other,) = set(MODELS) - {model}
            self.answered.append(Answered(began, ended, other))
        else:
            self.lost.append(f"{model}: {got}")


def request(token, model, *, stream):
    value = {
        "model": model,
        "max_tokens": 2,
        "messages": [{"role": "user", "content": "Tell me about the sea."}],
        "stream": stream,
    }
    body = json.dumps(value).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.example\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (token.encode(), len(body), body)
    )


def outcome(got: Got, *, stream):
    """A whole answer of the model, a reason code, or nothing that a policy gives."""
    if got.status == 403:
        return json.loads(got.body)["error"]["code"]
    if got.status != 200:
        return None
    if stream:
        return "answer" if got.body.endswith(b"data: [DONE]\n\n") else None
    return "answer" if json.loads(got.body)["choices"][0]["finish_reason"] else None


@asynccontextmanager
async def crowd(port, members, stranger):
    people = Crowd(port)
    calling = [asyncio.create_task(people.call_on(token, member=True)) for token in members]
    calling.append(asyncio.create_task(people.call_on(stranger, member=False)))
    try:
        yield people
    finally:
        people.done = True
        await asyncio.gather(*calling)


def generations(gateway):
    """Which file each process serves, by its ID."""
    body = ask(f"{gateway.url}/metrics").body.decode()
    samples = (s for f in text_string_to_metric_families(body) for s in f.samples)
    return {
        sample.labels.get("worker", ""): sample.labels["issuer"]
        for sample in samples
        if sample.name == "rolecall_issuer_ready" and "generation-" in sample.labels["issuer"]
    }


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def workers(request):
    return request.param


async def test_a_change_of_policy_under_load_loses_nothing_and_counts_at_once(
    workers, keycloak, local_model, tmp_path, note
):
    keys = tmp_path / "keys.json"
    keys.write_bytes(ask(keycloak.key_set_url).body)

    def policy(number):
        allowed = MODELS[number % 2]
        model = local_model.base_url
        return CONFIG.format(allowed=allowed, number=number, model=model, keys=keys)

    def served(number):
        found = generations(gateway)
        return len(found) == workers and set(found.values()) == {
            f"https://generation-{number}.example"
        }

    environ = {"JWT_PUBLIC_KEY_URL": keycloak.key_set_url, "JWT_AUDIENCE": CLIENT}
    members = [keycloak.sign_in("alice")["access_token"]] * 4
    members.append(keycloak.sign_in_workload(WORKLOAD)["access_token"])
    stranger = keycloak.sign_in("bob")["access_token"]
    changes = []
    with gateways.running(tmp_path, policy(0), workers=workers, **environ) as gateway:
        async with crowd(gateway.port, members, stranger) as people:
            await people.until(CALLS)
            for number in range(1, CHANGES + 1):
                written = time.monotonic()
                gateway.config_file.write_text(policy(number))
                gateway.reload()
                await asyncio.to_thread(wait_until, lambda n=number: served(n), what="all serve it")
                changes.append((written, time.monotonic()))
                await people.until(CALLS)
    assert people.lost == []
    assert people.strangers > CHANGES
    check(people.answered, changes)
    slowest = max(done - written for written, done in changes)
    note(
        f"policy changes, {workers} worker(s): {len(people.answered)} calls by {CHANGES} changes,"
        f" the slowest known to be served after {slowest:.2f} s"
    )


def check(answered, changes):
    """No call is decided by a policy that did not count yet, or did not count any more."""
    of_policy = [0] * (CHANGES + 1)
    for call in answered:
        # the policies that counted at some moment between its first and its last byte
        first = sum(done <= call.began for _, done in changes)
        last = sum(written <= call.ended for written, _ in changes)
        possible = {MODELS[number % 2] for number in range(first, last + 1)}
        assert call.allowed in possible, (call, changes)
        if first == last:
            of_policy[first] += 1
    assert min(of_policy) >= CALLS // 2, of_policy
