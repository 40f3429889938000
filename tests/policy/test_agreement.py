"""Ten thousand random policies and calls: table, explanation and the plain sentences agree."""

import json
import random
from pathlib import Path

from jsonschema import Draft202012Validator

from rolecall.core import (
    MODEL_ENDPOINTS,
    Call,
    Caller,
    Ceilings,
    Circumstances,
    Condition,
    Parameters,
    RoleClaim,
    RoleMapping,
    Rule,
    Source,
)
from rolecall.policy import assign_roles, callable_models, compile_policy, decide, explain

from .parts import naive
from .parts.worlds import (
    AUTHENTICATIONS,
    CLIENTS,
    GROUPS,
    ISSUERS,
    NAMES,
    ROLE_CONDITIONS,
    ROLES,
    RULE_CONDITIONS,
    SCOPES,
    SIGN_INS,
    VALUES,
)

DOCS = Path(__file__).parents[2] / "docs"
AT = Source("gw.yaml", 1)


class World:
    """One random policy, caller and call."""

    def __init__(self, chance):
        self.chance = chance
        self.mappings = [self.mapping() for _ in range(chance.randint(1, 5))]
        self.rules = [self.rule(line) for line in range(chance.randint(0, 8))]
        self.caller = self.some_caller()
        self.call = Call(
            chance.choice([*MODEL_ENDPOINTS, *MODEL_ENDPOINTS, "embeddings"]),
            chance.choice(NAMES),
            chance.random() < 0.5,
            Parameters(
                max_tokens=chance.choice([None, 5, 10, 60, 1000]),
                n=chance.choice([1, 1, 2]),
                reasoning_effort=chance.choice([None, "low", "high", "ultra"]),
                inputs=frozenset(self.some(["image", "file"], 1)),
            ),
        )
        self.around = Circumstances(
            chance.choice([0.0, 50.0, 59.0, 60.0, 43_300.0]),
            chance.choice([None, "10.0.0.1", "192.0.2.1"]),
            chance.choice([{}, {"x-team": "blue"}, {"x-team": "red"}]),
        )

    def some(self, values, most=2):
        return tuple(self.chance.sample(values, self.chance.randint(0, most)))

    def condition(self, texts):
        if self.chance.random() < 0.5:
            return None
        return Condition(self.chance.choice(texts), AT)

    def mapping(self):
        return RoleMapping(
            role=self.chance.choice(ROLES),
            any_of=self.some(VALUES) if self.chance.random() < 0.6 else (),
            issuers=self.chance.choice([(), (), (ISSUERS[0],)]),
            source=AT,
            all_of=self.some(VALUES) if self.chance.random() < 0.2 else (),
            none_of=self.some(VALUES, 1) if self.chance.random() < 0.2 else (),
            groups=self.some(GROUPS) if self.chance.random() < 0.2 else (),
            scopes=self.some(SCOPES) if self.chance.random() < 0.2 else (),
            clients=self.some(CLIENTS) if self.chance.random() < 0.2 else (),
            when=self.condition(ROLE_CONDITIONS),
            includes=self.some(ROLES, 1) if self.chance.random() < 0.2 else (),
        )

    def rule(self, line):
        effect = self.chance.choice(["allow", "allow", "deny"])
        bounded = effect == "allow" and self.chance.random() < 0.4
        return Rule(
            effect=effect,
            roles=self.some([*ROLES, "st*", "*"]) or ("*",),
            models=self.some([*NAMES[:-1], "*", "*b", "*a*", "a*b"], 3),
            endpoints=self.chance.choice([("*",), ("*",), ("chat",), ("messages",), ()]),
            source=Source("gw.yaml", line),
            when=self.condition(RULE_CONDITIONS),
            not_before=self.chance.choice([None, None, 50.0]),
            expires=self.chance.choice([None, None, 60.0]),
            ceilings=Ceilings(
                max_tokens=self.chance.choice([None, 10, 100]),
                n=self.chance.choice([None, 1]),
                reasoning_effort=self.chance.choice([None, "low", "medium"]),
                inputs=self.chance.choice([None, None, frozenset(), frozenset({"image"})]),
                tools=self.chance.choice([None, ("f",)]),
                temperature=self.chance.choice([None, (0.0, 1.0)]),
                stream=self.chance.choice([None, None, "only", "never"]),
            )
            if bounded
            else None,
            on_exceed=self.chance.choice(["deny", "clamp"]) if bounded else "deny",
            authentication=self.chance.choice(AUTHENTICATIONS) if effect == "allow" else None,
        )

    def some_caller(self):
        chance = self.chance
        return Caller(
            issuer=chance.choice(ISSUERS),
            subject="ada",
            client=chance.choice([None, *CLIENTS]),
            kind=chance.choice(["person", "workload"]),
            role_claims=tuple(RoleClaim(("roles",), value) for value in self.some(VALUES, 3)),
            scopes=frozenset(self.some(SCOPES)),
            groups=frozenset(self.some(GROUPS)),
            claims=chance.choice([{}, {}, {"dept": "ml"}, {"dept": "hr"}, {"dept": 7}]),
            sign_in=chance.choice(SIGN_INS),
        )


def looks_at_the_body(rule):
    return rule.when is not None and "call." in rule.when.text.replace("call.model", "")


def test_table_explanation_and_sentences_agree_on_ten_thousand_policies():
    chance = random.Random(6)
    schema = json.loads((DOCS / "schema" / "explanation.json").read_text())
    published = Draft202012Validator(schema)
    seen = set()
    doubted = 0
    for number in range(10_000):
        world = World(chance)
        table = compile_policy(world.mappings, world.rules)
        caller = assign_roles(table, world.caller)
        decision = decide(table, caller, world.call, world.around)
        case = (number, world.rules, caller, world.call, world.around)
        assert (caller.roles, caller.doubtful_roles) == naive.roles(world.mappings, world.caller), (
            case
        )
        assert (decision.allowed, decision.reason) == naive.decision(
            world.rules, caller, world.call, world.around
        ), case
        explanation = explain(table, caller, world.call, world.around)
        assert explanation.decision == decision, case
        if number % 20 == 0:
            published.validate(explanation.as_json())
        doors = {world.call.model: [world.call.endpoint]}
        listed = callable_models(table, caller, doors, world.around)
        assert not decision.allowed or listed == [world.call.model], case
        if not any(rule.ceilings or looks_at_the_body(rule) for rule in world.rules):
            assert decision.allowed == bool(listed), case
        doubted += bool(caller.doubtful_roles and caller.roles)
        seen.add((decision.reason, bool(decision.exceeded)))
    # every kind of answer occurs, or the worlds are too small to say anything
    assert {reason for reason, _ in seen} == {
        None,
        "no_role",
        "denied_by_rule",
        "condition_error",
        "ceiling_exceeded",
        "insufficient_user_authentication",
        "endpoint_not_allowed",
        "model_not_allowed",
    }
    assert (None, True) in seen
    assert doubted > 100
