"""The processor's name."""

import platform

from bench.machine import parse_processor

CPUINFO = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9R14\nflags\t\t: a b\n"


def test_the_processor_is_named_by_linux():
    assert parse_processor(CPUINFO) == "AMD EPYC 9R14"


def test_where_it_is_not_the_architecture_stands_in():
    assert parse_processor("processor\t: 0\nBogoMIPS\t: 243.75\n") == platform.machine()
