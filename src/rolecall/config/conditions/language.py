"""The language of conditions: its variables and their types, compiled by Google's own CEL.

What an evaluation may cost is bounded: by the length and the depth of the expression (32 levels),
by 10,000 iterations of its macros, and by RE2, whose time is linear in the text. Nothing in it can
do I/O.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Final

from cel_expr_python import cel

from rolecall.config.conditions import syntax
from rolecall.config.conditions.program import (
    MAX_LENGTH,
    STATUS,
    NotACondition,
    Program,
    Subject,
)
from rolecall.config.conditions.syntax import Apply, Constant, Name, Node, Select

_STRING: Final = cel.Type.STRING
_STRINGS: Final = cel.Type.List(_STRING)
_CALLER: Final[Mapping[str, cel.Type]] = {
    "caller.issuer": _STRING,
    "caller.subject": _STRING,
    # null where the token names none
    "caller.client": cel.Type.DYN,
    "caller.kind": _STRING,
    # null where the caller acts itself; the others too where the actor is named otherwise
    "caller.actor": cel.Type.DYN,
    "caller.actor.issuer": cel.Type.DYN,
    "caller.actor.subject": cel.Type.DYN,
    "caller.actor.client": cel.Type.DYN,
    "caller.groups": _STRINGS,
    "caller.scopes": _STRINGS,
    "caller.teams": _STRINGS,
    # null where the token has none
    "caller.email": cel.Type.DYN,
    "caller.organization": cel.Type.DYN,
    "claims": cel.Type.Map(_STRING, cel.Type.DYN),
}
ROLE_VARIABLES: Final[Mapping[str, cel.Type]] = _CALLER
"""What the condition of a role may read: only what is in the token."""

RULE_VARIABLES: Final[Mapping[str, cel.Type]] = {
    **_CALLER,
    "caller.roles": _STRINGS,
    "call.endpoint": _STRING,
    "call.model": _STRING,
    "call.stream": cel.Type.BOOL,
    # null where the body does not say
    "call.max_tokens": cel.Type.DYN,
    "call.n": cel.Type.INT,
    "call.reasoning_effort": cel.Type.DYN,
    "call.thinking_budget": cel.Type.DYN,
    "call.tools": _STRINGS,
    "call.inputs": _STRINGS,
    "call.web_search": cel.Type.BOOL,
    "call.service_tier": cel.Type.DYN,
    "call.temperature": cel.Type.DYN,
    "call.bytes": cel.Type.INT,
    "now": cel.Type.TIMESTAMP,
    "source_ip": _STRING,
    "headers": cel.Type.Map(_STRING, _STRING),
}
"""What the condition of a rule may read."""

_PLACE: Final = re.compile(r"ERROR: <input>:(?P<line>-?\d+):(?P<column>-?\d+): (?P<message>.*)")
_HAS: Final = re.compile(r"\bhas\s*\(\s*([a-z_.]+)\s*\)")
_CONTAINER: Final = re.compile(r" \(in container '[^']*'\)")

_OF_A_TIME_ZONE: Final = frozenset(
    {
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    }
)
_ACTOR: Final = Name("caller.actor")
_SCOPES: Final = Name("caller.scopes")
_SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CLOSE: Final = 0.7
_INCOMPLETE: Final = "the expression ends too early"


@lru_cache(maxsize=32_768)
def compiled(text: str, subject: Subject) -> Program:
    """What `compile_condition` gives; remembered, since configurations repeat themselves.

    Raises:
        NotACondition: it does not compile, or can never be true or false.
    """
    if len(text) > MAX_LENGTH:
        raise NotACondition(f"is longer than {MAX_LENGTH} characters")
    try:
        expression = _environment(subject).compile(text)
    except (RuntimeError, ValueError) as error:
        raise _not_a_condition(str(error), subject) from None
    kind = expression.return_type()
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        raise NotACondition(f"is neither true nor false, but of type {kind.name().lower()}")
    tree = syntax.parse(expression.serialize())
    _check_has(text, subject)
    _check_members(tree, subject)
    _check_literals(text, tree)
    reads = frozenset(_free_names(tree, frozenset()))
    return Program(
        text=text,
        reads=reads,
        claims=_keys_of("claims", tree) if "claims" in reads else frozenset(),
        headers=_keys_of("headers", tree) if "headers" in reads else frozenset(),
        scopes=frozenset(_scopes(tree)) if _SCOPES.name in reads else frozenset(),
        tree=tree,
        _expression=expression,
    )


def _variables(subject: Subject) -> Mapping[str, cel.Type]:
    return ROLE_VARIABLES if subject == "role" else RULE_VARIABLES


@cache
def _environment(subject: Subject) -> cel.Env:
    return cel.NewEnv(
        variables=_variables(subject),
        functions=[
            cel.FunctionDecl(
                "inCidr",
                [
                    cel.Overload(
                        "string_in_cidr_string", cel.Type.BOOL, [_STRING, _STRING], True, _in_cidr
                    )
                ],
            )
        ],
    )


def _in_cidr(address: str, network: str) -> bool:
    """``source_ip.inCidr("10.0.0.0/8")``; an address of IPv4 mapped into IPv6 is one of IPv4."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed in _network(network)


def _check_has(written: str, subject: Subject) -> None:
    """``has`` is for members of maps: of a variable it gives the value, and so no answer."""
    for asked in _HAS.finditer(written):
        if _variables(subject).get(asked[1], _STRING) == cel.Type.DYN:
            before = written[: asked.start()]
            raise NotACondition(
                f"does not compile: has() is for claims; write {asked[1]} != null",
                before.count("\n") + 1,
                asked.start() - before.rfind("\n"),
            )


def _check_members(tree: Node, subject: Subject) -> None:
    """What is no variable below one would be looked for in its value, and never be there."""
    for node in syntax.walk(tree):
        if isinstance(node, Select) and node.operand == _ACTOR:
            name = f"{_ACTOR.name}.{node.field}"
            raise NotACondition(f"does not compile: there is no {name}{_meant(name, subject)}")


def _check_literals(written: str, tree: Node) -> None:
    """What is written out and names nothing would fail each time it is asked."""
    if not any(function in written for function in ("inCidr", "matches", "get")):
        return
    for node in syntax.walk(tree):
        match node:
            case Apply("inCidr", _, (Constant(str(text)),)):
                try:
                    _network(text)
                except ValueError as error:
                    raise NotACondition(f"names no network: {error}") from None
            case Apply("matches", _, (*_, Constant(str(text)))):
                result = _pattern_check().eval(data={"claims": {"pattern": text}})
                if result.type() == cel.Type.ERROR:
                    reason = str(result.value()).rpartition("regular expression: ")[2]
                    raise NotACondition(f"holds no pattern of RE2: {reason}")
            case Apply(function, _, (Constant(str(text)),)) if function in _OF_A_TIME_ZONE:
                _check_time_zone(text)


def _check_time_zone(name: str) -> None:
    result = _hours_in().eval(data={"now": _SOME_TIME, "source_ip": name})
    if result.type() == cel.Type.ERROR:
        raise NotACondition(f"names no time zone that this machine knows: {name!r}")


@cache
def _hours_in() -> cel.Expression:
    return _environment("rule").compile("now.getHours(source_ip)")


@cache
def _pattern_check() -> cel.Expression:
    return _environment("role").compile('"".matches(claims.pattern)')


@lru_cache(maxsize=1024)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def _free_names(node: Node, bound: frozenset[str]) -> Iterator[str]:
    if isinstance(node, Name) and node.name not in bound:
        yield node.name
    if isinstance(node, syntax.Fold):
        bound |= frozenset(node.variables)
    for child in syntax.children(node):
        yield from _free_names(child, bound)


def _keys_of(variable: str, tree: Node) -> frozenset[str] | None:
    """The keys by which a map is read, or None where it is read in another way too."""
    keys: set[str] = set()
    whole = Name(variable)
    for node in syntax.walk(tree):
        match node:
            case Select(operand, field) if operand == whole:
                keys.add(field)
            case Apply("_[_]", None, (operand, Constant(str(key)))) if operand == whole:
                keys.add(key)
            case Apply("@in", None, (Constant(str(key)), operand)) if operand == whole:
                keys.add(key)
            case _ if whole in syntax.children(node) or node == whole == tree:
                return None
    return frozenset(keys)


def _scopes(tree: Node) -> Iterator[str]:
    for node in syntax.walk(tree):
        match node:
            case Apply("@in", None, (Constant(str(scope)), operand)) if operand == _SCOPES:
                yield scope


def _not_a_condition(text: str, subject: Subject) -> NotACondition:
    found = _PLACE.search(text)
    if found is None:
        return NotACondition(f"does not compile: {STATUS.sub('', text.splitlines()[0])}")
    message = STATUS.sub("", _CONTAINER.sub("", found["message"])).removeprefix("Syntax error: ")
    message = message.partition(" expecting {")[0].replace("mismatched input '<EOF>'", _INCOMPLETE)
    name = re.match(r"undeclared reference to '(?P<name>[^']*)'", message)
    if name and subject == "role" and name["name"].partition("(")[0] in _only_rules():
        message = (
            f"the condition of a role cannot read {name['name']}: a role depends on the token alone"
        )
    elif name:
        message += _meant(name["name"], subject)
    line, column = int(found["line"]), int(found["column"])
    return NotACondition(
        f"does not compile: {message}",
        line if line > 0 else None,
        column if column > 0 else None,
    )


def _meant(name: str, subject: Subject) -> str:
    close = get_close_matches(name, _variables(subject), 1, _CLOSE)
    return f" (did you mean {close[0]}?)" if close else ""


@cache
def _only_rules() -> frozenset[str]:
    return frozenset(RULE_VARIABLES) - frozenset(ROLE_VARIABLES)
