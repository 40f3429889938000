"""One immutable generation of everything that is compiled from the configuration."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from rolecall.config import Limits, Settings
from rolecall.gateway.challenge import Challenges, compile_challenges
from rolecall.gateway.observing import Observe, show_decision
from rolecall.gateway.resource import ProtectedResource, protected_resource
from rolecall.gateway.watching import Watch
from rolecall.identity import Nonces, SharedReplays, Verifier
from rolecall.policy import Table, assign_roles, compile_policy, included_roles
from rolecall.upstream import Catalogue


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a request is answered with, from its beginning to its end."""

    settings: Settings
    table: Table
    verifier: Verifier
    catalogue: Catalogue
    limits: Limits
    challenges: Challenges
    resource: ProtectedResource | None = None
    clock: Callable[[], float] = time.time
    observers: tuple[Observe, ...] = ()
    watch: Watch = field(default_factory=Watch)


def compile_snapshot(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    nonce_key: bytes | None = None,
    replays: SharedReplays | None = None,
) -> Snapshot:
    """Compile settings; nothing is fetched yet.

    Args:
        settings: a whole configuration.
        clock: tells seconds since the epoch.
        nonce_key: for nonces, where the configuration has no key; None for one of its own.
        replays: where several processes note the proofs that they have seen. A later generation
            takes over both from the one before.
    """
    table = compile_policy(settings.roles, settings.rules)
    watch = Watch(settings.decisions, settings.shadow, settings.condition_headers)
    observers: list[Observe] = [show_decision] if settings.explain.header else []
    if settings.decisions is not None or settings.shadow is not None:
        observers.append(watch)
    resource = protected_resource(settings)
    return Snapshot(
        settings=settings,
        table=table,
        verifier=Verifier(
            settings.issuers,
            limits=settings.limits,
            complete=partial(assign_roles, table),
            keys=[replace(key, roles=included_roles(table, key.roles)) for key in settings.keys],
            revocations=settings.revocations.entries,
            nonces=Nonces(nonce_key or secrets.token_bytes(32), settings.nonce_key),
            replays=replays,
        ),
        catalogue=Catalogue(settings.models),
        limits=settings.limits,
        challenges=compile_challenges(
            resource.metadata_url if resource else None,
            takes_proofs=any(issuer.dpop for issuer in settings.issuers),
        ),
        resource=resource,
        clock=clock,
        observers=tuple(observers),
        watch=watch,
    )
