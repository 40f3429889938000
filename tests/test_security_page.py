"""What is remembered has the bounds that the documentation says."""

import re
from pathlib import Path

from rolecall.config import Limits
from rolecall.config.conditions import language
from rolecall.gateway.http1 import connection, repeated
from rolecall.identity import (
    claim_values,
    documents,
    guard,
    keyset,
    keysource,
    memberships,
    opaque,
    revocation_file,
    session,
    shared_replays,
)
from rolecall.policy import view
from rolecall.record import decision_log, repeats
from rolecall.upstream.http1 import pool as http1_pool
from rolecall.upstream.http2 import pool as http2_pool

PAGE = (Path(__file__).parents[1] / "docs" / "security.md").read_text(encoding="utf-8")


def mib(size):
    return f"{size // (1 << 20)} MiB"


DEFAULT = Limits()
BOUNDS = {
    "verified credentials, by SHA-256 of all their bytes": (
        f"`remembered_tokens` {DEFAULT.remembered_tokens:,}, `remembered_bytes`"
        f" {mib(DEFAULT.remembered_bytes)} of tokens and answers"
    ),
    "the head that a connection sent last, token and all": (
        f"{repeated.MOST_BYTES // 1024} KiB each, of {connection.MOST_REMEMBERED:,} connections"
    ),
    "headers of tokens, by all of their bytes": (
        f"{guard.MOST_HEADERS}, of {guard.MOST_HEADER:,} characters"
    ),
    "rows of roles, groups, scopes and teams that tokens share": (
        f"{2 * claim_values.MOST_SHARED:,}, of {claim_values.MOST_SHARED_VALUES} values and"
        f" {claim_values.MOST_SHARED_TEXT:,} characters"
    ),
    "refused opaque tokens, by SHA-256": f"`refused_tokens` {DEFAULT.refused_tokens:,} an issuer",
    "opaque tokens that were good before, by SHA-256: they are looked up even beside a flood": (
        f"`remembered_tokens` {DEFAULT.remembered_tokens:,} an issuer"
    ),
    "groups that were looked up, by account": (
        f"{memberships.MOST_ACCOUNTS:,} accounts and {memberships.MOST_GROUPS:,} groups an issuer"
    ),
    "the gateway's own token for Microsoft Graph": "one an issuer",
    "look-ups under way": (
        f"{opaque.MOST_ASKED} an issuer, and as many for tokens that were good before"
    ),
    "connections to an issuer's server": f"{session._CONNECTIONS} a URL",
    "keys": f"{keyset.MAX_KEYS:,} an issuer, out of documents of {mib(documents.MAX_BYTES)}",
    "key IDs that were asked for in vain": (
        f"`unknown_keys` {DEFAULT.unknown_keys:,} an issuer, of {guard.MAX_KEY_ID} characters"
    ),
    "requests that wait for a key": (
        f"{keysource.MOST_WAITING:,} an issuer; more are answered at once"
    ),
    "revocations in the file, and IDs of logout tokens": f"{revocation_file.MOST:,}",
    "nonces for proofs of possession": "none: they are known by a key",
    "proofs of possession, by a hash of key and `jti`": (
        f"`proofs` {DEFAULT.proofs:,}; with `--workers` {2 * DEFAULT.proofs:,} places, of which"
        f" each proof has {shared_replays.PLACES} to stand in. More are refused (429), none is"
        " forgotten early; while the file cannot be used all are refused (503)"
    ),
    "what a policy says of roles and models": (
        f"{view.MOST_VIEWS:,} sets of roles, and {mib(view.MOST_BYTES)} of them and of"
        f" {view.MOST_CELLS:,} names each"
    ),
    "callers beside a candidate policy (`shadow`)": "as many as are remembered",
    "networks that conditions name": f"{language._network.cache_parameters()['maxsize']:,}",
    "refusals whose repetitions are counted": f"{repeats.MOST:,}",
    "decisions that wait to be written": (
        f"{mib(decision_log.MOST_WAITING)}; more are dropped and counted"
    ),
    "connections to an upstream": (
        f"{http1_pool.MOST_OPEN:,} open, {http1_pool.MOST_IDLE} idle; with `http2`"
        f" {http2_pool.MOST_OPEN}"
    ),
}


def test_everything_that_is_remembered_stands_in_the_documentation_with_its_bound():
    table = PAGE.partition("## What is remembered, and how much")[2]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", table.partition("\n## ")[0], re.MULTILINE)
    assert dict(rows[2:]) == BOUNDS


def test_the_room_of_proofs_that_workers_share_is_what_the_documentation_says(tmp_path):
    replays = shared_replays.SharedReplays(tmp_path / "proofs", b"k" * 32, DEFAULT.proofs)
    assert f"a file of {mib(replays.size)} that they share" in PAGE
