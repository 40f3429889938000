"""The tokens of the flood: each names a key of its own that nobody has."""

from bench.tokens import MANY, new_key, sign
from bench.workloads.unknown_keys import forge
from rolecall.config import Limits
from rolecall.identity import open_token


def test_each_token_names_another_key_and_says_what_a_good_one_says(tmp_path):
    good = sign(new_key("RS256"), 1, 1_800_000_000)
    forge(good, tmp_path / "forged.tokens")
    forged = (tmp_path / "forged.tokens").read_bytes().split()
    opened = [open_token(token, Limits()) for token in forged[:100]]
    assert len({one.jws.key_id for one in opened}) == 100
    assert len(forged) == MANY
    claims = open_token(good.encode(), Limits()).claims
    assert all(one.claims == claims for one in opened)
