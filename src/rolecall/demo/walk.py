"""The page, walked step by step: who may call what, and what the others are told."""

import json
import shlex
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from rolecall.demo.stage import Stage

_TIMEOUT: Final = 120
_QUESTION: Final = "Say hello to the company in one short sentence."
_CHAT: Final = "/v1/chat/completions"
_MESSAGES: Final = "/v1/messages"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        title: what happens.
        token: whose token is sent; None sends none.
        path: the endpoint.
        body: None for a GET.
        status: that it must end with.
        code: the reason code that it must end with, for a refusal.
    """

    title: str
    token: str | None
    path: str
    body: dict[str, Any] | None
    status: int
    code: str | None = None


def _call(model: str, *, stream: bool = False) -> dict[str, Any]:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": _QUESTION}],
        "max_tokens": 40,
        "temperature": 0,
    }
    return body | {"stream": True} if stream else body


STEPS: Final = (
    Step(
        "alice holds basic_user and calls anthropic-claude, as an OpenAI client does",
        "alice",
        _CHAT,
        _call("anthropic-claude", stream=True),
        200,
    ),
    Step(
        "the same as an Anthropic client does",
        "alice",
        _MESSAGES,
        _call("anthropic-claude", stream=True),
        200,
    ),
    Step("the models that alice sees are those she may call", "alice", "/v1/models", None, 200),
    Step(
        "alice asks for openai-gpt-4o, which her role does not allow",
        "alice",
        _CHAT,
        _call("openai-gpt-4o"),
        403,
        "model_not_allowed",
    ),
    Step(
        "bob signs in too, but holds no role",
        "bob",
        _CHAT,
        _call("anthropic-claude"),
        403,
        "no_role",
    ),
    Step(
        "somebody forges alice's token with a key of his own",
        "forged",
        _CHAT,
        _call("anthropic-claude"),
        401,
        "bad_signature",
    ),
    Step(
        "alice comes back with yesterday's token",
        "expired",
        _CHAT,
        _call("anthropic-claude"),
        401,
        "expired",
    ),
    Step("and without any token", None, _CHAT, _call("anthropic-claude"), 401, "missing_token"),
)


def walk(stage: Stage, console: Console) -> bool:
    """Walk all steps; return whether each went as it should."""
    tokens = {
        "alice": sign_in(stage, "alice"),
        "bob": sign_in(stage, "bob"),
        "forged": stage.idp.mint("forged"),
        "expired": stage.idp.mint("expired"),
    }
    for name, token in tokens.items():
        stage.keep_token(name, token)
    good = True
    for number, step in enumerate(STEPS, 1):
        console.print(f"\n[bold]{number}. {escape(step.title)}[/]")
        console.print(f"[dim]{escape(curl(stage, step))}[/]", soft_wrap=True)
        good &= _take(stage, step, tokens, console)
    return good


def sign_in(stage: Stage, name: str) -> str:
    """Get an access token for a person as a development client does (RFC 6749 4.3)."""
    form = {
        "grant_type": "password",
        "client_id": stage.idp.client.client_id,
        "username": name,
        "password": name,
        "scope": "openid",
    }
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(stage.idp.token_url, data, _TIMEOUT) as response:  # noqa: S310
        token: str = json.load(response)["access_token"]
    return token


def curl(stage: Stage, step: Step) -> str:
    """The command that repeats a step."""
    parts = ["curl", "-N", f"{stage.gateway}{step.path}"]
    line = shlex.join(parts)
    if step.token is not None:
        path = stage.folder / f"{step.token}.token"
        line += f' -H "Authorization: Bearer $(cat {shlex.quote(str(path))})"'
    if step.body is not None:
        line += f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(step.body))}"
    return line


def _take(stage: Stage, step: Step, tokens: dict[str, str], console: Console) -> bool:
    headers = {"Content-Type": "application/json"}
    if step.token is not None:
        headers["Authorization"] = f"Bearer {tokens[step.token]}"
    request = urllib.request.Request(  # noqa: S310 - http on loopback
        stage.gateway + step.path,
        data=json.dumps(step.body).encode() if step.body is not None else None,
        headers=headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            return _show_success(step, response, console)
    except urllib.error.HTTPError as error:
        with error:
            return _show_refusal(step, error.code, error.read(), console)
    except (OSError, ValueError, KeyError) as error:
        console.print(f"[red]✗ failed:[/] {escape(str(error))}")
        return False


def _show_success(step: Step, response: HTTPResponse, console: Console) -> bool:
    if step.status != response.status:
        console.print(f"[red]✗ {response.status}[/], expected {step.status} {step.code or ''}")
        return False
    if step.body is None:
        names = [model["id"] for model in json.load(response)["data"]]
        console.print(f"[green]✓ 200[/] {escape(', '.join(names))}")
        return names == ["anthropic-claude"]
    console.print("[green]✓ 200[/] ", end="")
    words = 0
    read = _chat_words if step.path == _CHAT else _message_words
    for word in read(_events(response)):
        words += 1
        console.print(word, end="", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\n  [dim]({words} pieces, as they came)[/]")
    return words > 1


def _show_refusal(step: Step, status: int, body: bytes, console: Console) -> bool:
    error = json.loads(body)["error"]
    expected = (status, error.get("code")) == (step.status, step.code)
    mark = f"[green]✓ {status}" if expected else f"[red]✗ {status}"
    console.print(
        f"{mark}[/] [yellow]{escape(str(error.get('code')))}[/]: {escape(error['message'])}",
        soft_wrap=True,
    )
    if not expected:
        console.print(f"[red]expected {step.status} {step.code or ''}[/]")
    return expected


def _events(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    for line in response:
        data = line.removeprefix(b"data: ").strip()
        if line.startswith(b"data: ") and data != b"[DONE]":
            yield json.loads(data)


def _chat_words(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        if "error" in event:
            raise ValueError(event["error"]["message"])
        for choice in event["choices"]:
            if text := choice["delta"].get("content"):
                yield text


def _message_words(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        if event["type"] == "error":
            raise ValueError(event["error"]["message"])
        if event["type"] == "content_block_delta" and event["delta"]["type"] == "text_delta":
            yield event["delta"]["text"]
