"""What one process has to say in its metrics."""

from collections.abc import Mapping
from dataclasses import asdict

from rolecall.gateway.snapshot import Snapshot
from rolecall.gateway.watching import Watch
from rolecall.identity import IssuerState, Tally
from rolecall.record import Figures, IssuerFigures, KeySetFigures, LookUpFigures, PolicyFigures


def figures(snapshot: Snapshot, reloads: Mapping[str, int]) -> Figures:
    """Read them all; nobody is kept waiting, since they are plain numbers.

    Args:
        snapshot: the generation that serves now.
        reloads: how often the configuration was reloaded, by what came of it.
    """
    verifier = snapshot.verifier
    states = {state.issuer: state for state in verifier.state()}
    tallies = dict(verifier.tallies.items())
    return Figures(
        issuers=[
            _issuer(name, states.get(name), tallies.get(name)) for name in {**states, **tallies}
        ],
        verdicts=verifier.memory,
        reloads=dict(reloads),
        policy=_policy(snapshot.watch),
    )


def _policy(watch: Watch) -> PolicyFigures:
    return PolicyFigures(
        condition_errors=watch.tally.condition_errors,
        step_ups=watch.tally.step_ups,
        shadow=tuple((was, would, n) for (was, would), n in watch.tally.shadow.items()),
        written=watch.log.written if watch.log else 0,
        dropped=watch.log.dropped if watch.log else 0,
    )


def _issuer(name: str, state: IssuerState | None, tally: Tally | None) -> IssuerFigures:
    tally = tally or Tally()
    return IssuerFigures(
        issuer=name,
        accepted=tally.accepted,
        remembered=tally.remembered,
        refused={str(reason): number for reason, number in tally.refused.items()},
        ready=None if state is None else state.ready,
        key_set=None if state is None else _key_set(state),
        lookups=None
        if state is None or state.lookups is None
        else LookUpFigures(state.lookups.made, state.lookups.failed),
        group_lookups={}
        if state is None or state.group_lookups is None
        else asdict(state.group_lookups),
    )


def _key_set(state: IssuerState) -> KeySetFigures | None:
    if state.keys is None or state.fetches is None:
        return None
    fetches = state.fetches
    return KeySetFigures(
        keys=state.keys,
        age=state.age,
        fetches=fetches.made,
        failures=fetches.failed,
        unknown=fetches.unknown_keys,
    )
