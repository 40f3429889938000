"""The command line of the benchmark."""

import pytest
from click.testing import CliRunner

from bench.cli import main
from bench.peers import PEERS
from bench.places import PAGE
from bench.workloads import NAMES


def said(*arguments):
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_workloads_and_gateways_are_listed():
    code, output = said("--list")
    assert code == 0
    listed = [line.split()[0] for line in output.splitlines()]
    assert listed == [*NAMES, *(peer.name for peer in PEERS)]


def test_every_option_stands_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    options = [option for parameter in main.params for option in parameter.opts]
    assert [option for option in options if f"`{option}`" not in page] == []


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--only", "chat-16,chatter", "'chatter' is none of ready, chat-16"),
        ("--peers", "envoi", "'envoi' is none of nginx, envoy"),
        ("--only", "", "'' is none of"),
    ],
)
def test_a_name_that_is_unknown_is_named_with_those_that_are_known(option, value, told):
    code, output = said(option, value)
    assert code == 2
    assert told in " ".join(output.split())
