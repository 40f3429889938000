"""Tokens that are new are new to every gateway."""

from bench import tokens
from bench.peers import envoy
from rolecall.config import Limits


def test_a_token_that_comes_round_again_is_forgotten_by_then():
    assert max(Limits().remembered_tokens, envoy.REMEMBERED) < tokens.MANY - 1000
