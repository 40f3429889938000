"""The chart: every median where the scale puts it."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from bench.report import chart
from bench.report.chart import Scale

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [30, 33, 36]},
    ("chat-16", "envoy"): {"cpu_us": [40, 44, 40]},
    ("stream", "envoy"): {"cpu_us": [1400, 1500, 1300]},
    ("stream", "nginx"): {"cpu_us": [1100, 1100, 1100]},
    ("rules-1", "rolecall"): {"cpu_us": [34, 34, 34]},
    ("ready", "envoy"): {"ready_s": [0.2]},
}


def parts(found, tag):
    return ET.fromstring(chart.drawn(found)).iter(SVG + tag)


def test_every_median_is_a_dot_that_says_what_it_is(run):
    found = run(FIGURES, workloads=("ready", "chat-16", "stream"))
    titles = [title.text for title in parts(found, "title")]
    assert [title for title in titles if ":" in title] == [
        "Envoy: 40.0 µs",
        "Rolecall: 33.0 µs",
        "nginx: 1,100 µs",
        "Envoy: 1,400 µs",
    ]


def test_only_workloads_with_cpu_time_of_two_gateways_have_a_row(run):
    found = run(FIGURES, workloads=("ready", "chat-16", "stream", "rules-1"))
    texts = {text.text for text in parts(found, "text")}
    assert {"chat, remembered token, 16 connections", "a stream of 100 events"} <= texts
    assert not {"from start to the first answer", "a policy of one rule"} & texts


def test_numbers_do_not_lie_on_each_other():
    placed = chart.labels(Scale(10, 100_000), [1061, 44, 1667, 1062])
    assert [label for _, label in placed] == ["44.0", "1,061", "1,062", "1,667"]
    for (left, one), (right, other) in pairwise(placed):
        assert right - left > (len(one) + len(other)) / 2 * 6
    assert placed[0][0] == Scale(10, 100_000).x(44)


def test_everything_lies_within_the_frame(run):
    root = ET.fromstring(chart.drawn(run(FIGURES)))
    width, height = float(root.get("width")), float(root.get("height"))
    dots = [(dot.get("cx"), dot.get("cy")) for dot in root.iter(SVG + "circle")]
    pointers = [
        re.match(r"M([\d.]+) ([\d.]+)l", path.get("d")).groups()
        for path in root.iter(SVG + "path")
        if path.find(SVG + "title") is not None
    ]
    # the key of the chart has one of each, too
    assert (len(dots), len(pointers)) == (2 + 3, 1 + 1)
    for x, y in [*dots, *pointers]:
        assert 0 < float(x) < width
        assert 0 < float(y) < height


def test_a_run_without_figures_has_a_chart_without_dots(run):
    assert [title.text for title in parts(run({}), "title")] == ["nginx", "Envoy", "Rolecall"]


def test_the_scale_is_logarithmic():
    scale = Scale(10, 100_000)
    steps = [scale.x(10.0 ** (n + 1)) - scale.x(10.0**n) for n in range(1, 5)]
    assert steps == pytest.approx([steps[0]] * 4)
    assert scale.decades() == [10, 100, 1000, 10_000, 100_000]


@pytest.mark.parametrize(
    ("microseconds", "text"), [(10, "10 µs"), (1000, "1 ms"), (100_000, "100 ms"), (1e6, "1 s")]
)
def test_ticks_have_a_unit(run, microseconds, text):
    values = {"cpu_us": [microseconds]}
    figures = {("chat-16", "envoy"): values, ("chat-16", "rolecall"): values}
    assert text in {one.text for one in parts(run(figures), "text")}
