"""LiteLLM's access windows at the door: who is let in, what others are told, what is listed."""

import pytest

from .parts import serving
from .parts.doors import CHAT
from .parts.tokens import token

RESERVED = CHAT.body(model="reserved")
# two windows that are open by turns, so that the test may run at any time of the day
WINDOWS = [
    {"start": start, "end": end, "timezone": "Europe/Berlin", "team_ids": ["research"]}
    for start, end in (("00:00", "12:00"), ("12:00", "00:00"))
]


@pytest.fixture
def gateway(tmp_path, upstream):
    sections = serving.configuration(
        tmp_path,
        upstream.url,
        rules=[{"allow": ["internal_user"], "models": ["gpt", "reserved"]}],
        model_list=[
            {
                "model_name": "reserved",
                "litellm_params": {"model": "gpt-4o", "api_base": upstream.url, "api_key": "sk"},
                "model_info": {"access_windows": WINDOWS},
            }
        ],
    )
    sections["issuers"][0]["teams"] = ["team"]
    with serving.running(tmp_path, sections) as gateway:
        yield gateway


def of(team):
    return ("Authorization", f"Bearer {token('basic_user', team=team)}")


def listed(gateway, team):
    reply = gateway.get("/v1/models", of(team), authorised=False)
    return [model["id"] for model in reply.json["data"]]


def test_the_team_calls_the_model_and_sees_it(gateway):
    assert gateway.post(CHAT.path, RESERVED, of("research"), authorised=False).status == 200
    assert listed(gateway, "research") == ["gpt", "reserved"]


@pytest.mark.parametrize("team", [None, "other"])
def test_others_are_told_for_whom_it_is_and_do_not_see_it(gateway, team):
    reply = gateway.post(CHAT.path, RESERVED, of(team), authorised=False)
    CHAT.refused(reply, "denied_by_rule")
    message = reply.json["error"]["message"]
    assert "(internal_user): it is reserved for the team research from " in message
    assert message.endswith(" in Europe/Berlin. You may call: gpt.")
    assert listed(gateway, team) == ["gpt"]
