"""The sentences of the design, one after the other, without any table."""

from rolecall.config.conditions import ConditionError, compile_condition
from rolecall.core import EFFORTS, MODEL_ENDPOINTS, Reason
from rolecall.policy.facts import holds_for_call, holds_for_caller


def match(pattern, name):
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(match(pattern[1:], name[start:]) for start in range(len(name) + 1))
    return name[:1] == pattern[0] and match(pattern[1:], name[1:])


def roles(mappings, caller):
    """The roles that are held, and those whose condition cannot be evaluated."""
    held, doubtful = set(), set()
    for mapping in mappings:
        values = {
            claim.value
            for claim in caller.role_claims
            if not mapping.claims or claim.path in mapping.claims
        }
        if (
            (mapping.issuers and caller.issuer not in mapping.issuers)
            or (mapping.any_of and not values & set(mapping.any_of))
            or not values >= set(mapping.all_of)
            or values & set(mapping.none_of)
            or (mapping.groups and not caller.groups & set(mapping.groups))
            or (mapping.scopes and not caller.scopes & set(mapping.scopes))
            or (mapping.clients and caller.client not in mapping.clients)
        ):
            continue
        try:
            if mapping.when is None or holds_for_caller(
                compile_condition(mapping.when.text, "role"), caller
            ):
                held.add(mapping.role)
        except ConditionError:
            doubtful.add(mapping.role)
    for names in (held, doubtful):
        for _ in mappings:
            for mapping in mappings:
                if mapping.role in names:
                    names.update(mapping.includes)
    return held, doubtful - held


def decision(rules, caller, call, around):  # noqa: C901 - the sentences of the design, in order
    """(allowed, reason)."""

    def state(rule):
        if around.now < (rule.not_before or 0) or (rule.expires and around.now >= rule.expires):
            return "off"
        if rule.when is None:
            return "on"
        try:
            program = compile_condition(rule.when.text, "rule")
            return "on" if holds_for_call(program, caller, call, around) else "off"
        except ConditionError:
            return "error"

    def speaking(effect, endpoint):
        names = caller.roles | (caller.doubtful_roles if effect == "deny" else set())
        return [
            rule
            for rule in rules
            if rule.effect == effect
            and any(match(p, role) for p in rule.roles for role in names)
            and any(match(p, call.model) for p in rule.models)
            and (endpoint in rule.endpoints or "*" in rule.endpoints)
        ]

    if not caller.roles:
        return False, Reason.CONDITION_ERROR if caller.doubtful_roles else Reason.NO_ROLE
    if call.endpoint not in MODEL_ENDPOINTS:
        return False, Reason.ENDPOINT_NOT_ALLOWED
    states = [state(rule) for rule in speaking("deny", call.endpoint)]
    if "on" in states:
        return False, Reason.DENIED_BY_RULE
    if "error" in states:
        return False, Reason.CONDITION_ERROR
    allowing = speaking("allow", call.endpoint)
    holding = [rule for rule in allowing if state(rule) == "on"]
    matching = [rule for rule in holding if signed_in(rule.authentication, caller, around)]
    demanding = [rule for rule in holding if rule not in matching]
    if any(not beyond(rule.ceilings, call) for rule in matching):
        return True, None
    if any(rule.on_exceed == "clamp" and can_lower(rule.ceilings, call) for rule in matching):
        return True, None
    if any(
        not beyond(rule.ceilings, call)
        or (rule.on_exceed == "clamp" and can_lower(rule.ceilings, call))
        for rule in demanding
    ):
        return False, Reason.INSUFFICIENT_USER_AUTHENTICATION
    if holding:
        return False, Reason.CEILING_EXCEEDED
    if any(state(rule) == "error" for rule in allowing):
        return False, Reason.CONDITION_ERROR
    if any(state(rule) == "on" for place in MODEL_ENDPOINTS for rule in speaking("allow", place)):
        return False, Reason.ENDPOINT_NOT_ALLOWED
    return False, Reason.MODEL_NOT_ALLOWED


def signed_in(demand, caller, around):
    """Whether a caller has signed in as a rule demands."""
    if demand is None:
        return True
    if demand.acr_values and caller.sign_in.acr not in demand.acr_values:
        return False
    if demand.max_age is None:
        return True
    at = caller.sign_in.at
    if at is None or at > around.now + caller.sign_in.leeway:
        return False
    return around.now <= at + demand.max_age


def beyond(ceilings, call):
    """The names of the ceilings that a call exceeds."""
    if ceilings is None:
        return set()
    asked = call.parameters
    found = set()
    if ceilings.max_tokens is not None and (
        asked.max_tokens is None or asked.max_tokens > ceilings.max_tokens
    ):
        found.add("max_tokens")
    if ceilings.n is not None and asked.n > ceilings.n:
        found.add("n")
    if ceilings.reasoning_effort and asked.reasoning_effort:
        order = [*EFFORTS, asked.reasoning_effort]
        if order.index(asked.reasoning_effort) > order.index(ceilings.reasoning_effort):
            found.add("reasoning_effort")
    if ceilings.inputs is not None and asked.inputs - ceilings.inputs:
        found.add("inputs")
    if ceilings.stream == "only" and not call.stream:
        found.add("stream")
    if ceilings.stream == "never" and call.stream:
        found.add("stream")
    return found | beyond_lists(ceilings, asked)


def beyond_lists(ceilings, asked):
    found = set()
    if ceilings.tools is not None and any(
        not any(match(pattern, name) for pattern in ceilings.tools) for name in asked.tools
    ):
        found.add("tools")
    if ceilings.service_tier and asked.service_tier not in {None, *ceilings.service_tier}:
        found.add("service_tier")
    if ceilings.temperature and asked.temperature is not None:
        low, high = ceilings.temperature
        if not low <= asked.temperature <= high:
            found.add("temperature")
    return found


def can_lower(ceilings, call):
    return not beyond(ceilings, call) & {"inputs", "stream"}
