"""Metrics of several processes that share a port."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .parts.native import native
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

WORKERS = 3


def scraped(gateway):
    body = ask(f"{gateway.url}/metrics").body.decode()
    return [sample for family in text_string_to_metric_families(body) for sample in family.samples]


def workers(gateway):
    return {sample.labels["worker"] for sample in scraped(gateway)}


def test_every_scrape_tells_of_all_processes(start_gateway, oidc_provider, upstream):
    gateway = start_gateway(**native(oidc_provider, upstream), workers=WORKERS)
    wait_until(lambda: len(workers(gateway)) == WORKERS, what="all processes")
    headers = {"Authorization": f"Bearer {oidc_provider.token()}"}
    for _ in range(60):
        assert ask(f"{gateway.url}/v1/models", headers=headers).status == 200
    counted = [
        sample.value
        for sample in scraped(gateway)
        if sample.name in {"rolecall_verdicts_total", "rolecall_verdicts_remembered_total"}
    ]
    assert sum(counted) == 60
    assert len(workers(gateway)) == WORKERS


def test_the_only_process_has_no_label(start_gateway, oidc_provider, upstream):
    gateway = start_gateway(**native(oidc_provider, upstream))
    assert not any("worker" in sample.labels for sample in scraped(gateway))
