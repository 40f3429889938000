"""What a decision costs, in this process alone: `python bench/micro_policy.py [--json]`.

Limits: a decision ≤ 5 µs for 1,000 rules and 200 roles, ≤ 15 µs with one CEL condition, the same at
10,000 rules; a list of 1,000 models ≤ 1 ms; 10,000 rules compile in a second.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from rolecall.config.conditions.language import compiled
from rolecall.core import Call, Caller, Circumstances, Condition, Parameters, Rule, Source
from rolecall.policy import Table, callable_models, compile_policy, decide
from rolecall.wire import read_parameters

MODELS = 1_000
ROLES = 200
CONDITION = '"/ml/research" in caller.groups && caller.issuer.endsWith("/acme")'
AROUND = Circumstances(1_800_000_000.0, "10.0.0.1")
CALLER = Caller(
    issuer="https://login.example.com/realms/acme",
    subject="ada",
    roles=frozenset({"role-7", "role-42", "role-199"}),
    groups=frozenset({"/ml/research", "/staff"}),
    claims={f"claim-{n}": ["value"] * 3 for n in range(30)},
)


def rules(count: int, when: str | None = None) -> list[Rule]:
    """Rules over 200 roles and 1,000 models: names, globs and a few denials."""
    made = []
    for n in range(count):
        deny = n % 50 == 49
        models = (f"model-{n * 7 % MODELS}", f"model-{n * 13 % MODELS}", f"family-{n % 97}/*")
        made.append(
            Rule(
                effect="deny" if deny else "allow",
                roles=(f"role-{n % ROLES}",) if n % 20 else ("role-1*",),
                models=("*-preview",) if deny else models,
                endpoints=("*",),
                source=Source("gw.yaml", n + 1),
                # each a text of its own, or compiling one would do for all
                when=Condition(f"{when} && {n} >= 0", Source("gw.yaml", n + 1)) if when else None,
            )
        )
    return made


def microseconds(work: Callable[[], object], times: int = 20_000) -> float:
    """The median of nine rounds, for one call."""
    gc.collect()
    rounds = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(times // 9):
            work()
        rounds.append((time.perf_counter() - start) / (times // 9) * 1e6)
    return statistics.median(rounds)


def once(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    gc.collect()
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def allowed_model(table: Table) -> str:
    """A model that the caller may call by a rule with a name."""
    names = {f"model-{n}": ("chat",) for n in range(MODELS)}
    return callable_models(table, CALLER, names, AROUND)[0]


def main() -> None:
    """Measure, and print a line a figure."""
    figures: dict[str, float] = {}
    doors = {f"model-{n}": ("chat", "messages") for n in range(MODELS)}
    for count in (1_000, 10_000):
        plain = rules(count)
        figures[f"compile {count} rules, ms"] = once(partial(compile_policy, [], plain))
        table = compile_policy([], plain)
        cold = replace(CALLER, roles=frozenset({"role-3", "role-11"}))
        call = Call("chat", allowed_model(table))
        figures[f"first decision for a set of roles, {count} rules, µs"] = 1e3 * once(
            partial(decide, table, cold, Call("chat", "model-21"))
        )
        for name, asked in (
            ("allowed", call),
            ("refused", Call("chat", "no-such-model")),
            ("denied", Call("chat", "x-preview")),
        ):
            figures[f"decide, {name}, {count} rules, µs"] = microseconds(
                partial(decide, table, CALLER, asked)
            )
        figures[f"list {MODELS} models, first, {count} rules, ms"] = once(
            partial(callable_models, table, CALLER, doors)
        )
        figures[f"list {MODELS} models, {count} rules, ms"] = (
            microseconds(partial(callable_models, table, CALLER, doors), 900) / 1e3
        )
        compiled.cache_clear()
        conditional = rules(count, CONDITION)
        figures[f"compile {count} rules with a condition, ms"] = once(
            partial(compile_policy, [], conditional)
        )
        table = compile_policy([], conditional)
        call = Call("chat", allowed_model(table), parameters=Parameters())
        figures[f"decide with a CEL condition, {count} rules, µs"] = microseconds(
            partial(decide, table, CALLER, call, AROUND)
        )
        figures[f"list {MODELS} models with conditions, {count} rules, ms"] = (
            microseconds(partial(callable_models, table, CALLER, doors, AROUND), 90) / 1e3
        )
    body = {
        "model": "a",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hello"}] * 8,
        "temperature": 1,
    }
    figures["read parameters, µs"] = microseconds(lambda: read_parameters(body, 400))
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name:58} {value:10.2f}\n")


if __name__ == "__main__":
    main()
