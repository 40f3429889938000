"""Gateway and load disturb each other as little as the machine allows."""

import pytest

from bench.cores import Cores, choose, parse_list

ONE = {0: {0}}
TWO = {0: {0}, 1: {1}}
TWO_THREADS = {0: {0, 1}, 1: {0, 1}}
FOUR = {n: {n} for n in range(4)}
FOUR_ON_TWO = {0: {0, 2}, 1: {1, 3}, 2: {0, 2}, 3: {1, 3}}
LATER_HALF = {4: {4, 5}, 5: {4, 5}, 6: {6, 7}, 7: {6, 7}}


@pytest.mark.parametrize(
    ("siblings", "workers", "gateway", "load"),
    [
        (ONE, 1, {0}, {0}),
        (TWO, 1, {0}, {1}),
        (TWO_THREADS, 1, {0}, {1}),
        (FOUR, 1, {0}, {1, 2, 3}),
        (FOUR_ON_TWO, 1, {0}, {1, 3}),
        (LATER_HALF, 1, {4}, {6, 7}),
        (ONE, 2, {0}, {0}),
        (TWO, 2, {0, 1}, {1}),
        (FOUR, 2, {0, 1}, {2, 3}),
        (FOUR_ON_TWO, 2, {0, 1}, {2, 3}),
    ],
)
def test_the_load_keeps_off_the_gateways_cores(siblings, workers, gateway, load):
    siblings = {cpu: frozenset(group) for cpu, group in siblings.items()}
    chosen = choose(siblings, workers)
    assert chosen == Cores(frozenset(gateway), frozenset(load))
    assert chosen.separate == (not gateway & load)


@pytest.mark.parametrize(
    ("text", "numbers"), [("0\n", {0}), ("0-2,7", {0, 1, 2, 7}), ("3,11\n", {3, 11})]
)
def test_linux_writes_lists_of_cores_with_commas_and_hyphens(text, numbers):
    assert parse_list(text) == numbers
