"""The real parts: each is started when a test first needs it, and ended with the session."""

import base64
import itertools
import json
import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import version

import pytest

from .parts import gateway as gateways
from .parts import keycloak as keycloaks
from .parts import node_oidc_provider as oidc_providers
from .parts import provider_mock as provider_mocks
from .parts import upstream as upstreams
from .parts.missing import LOUD, missing

STARTED = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[STARTED] = []


def pytest_terminal_summary(terminalreporter, config):
    """Say which real parts ran, in which version, and which were missing."""
    reports = (
        report
        for outcome in ("skipped", "failed", "error")
        for report in terminalreporter.stats.get(outcome, [])
    )
    lines = (line for report in reports for line in _lines(report))
    absent = {line[line.index(LOUD) :] for line in lines if LOUD in line}
    if not config.stash[STARTED] and not absent:
        return
    terminalreporter.section("real parts")
    for part in config.stash[STARTED]:
        terminalreporter.line(part)
    for reason in sorted(absent):
        terminalreporter.line(reason, red=True, bold=True)


def _lines(report):
    why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    return str(why).splitlines()


@pytest.fixture(scope="session")
def started(pytestconfig):
    """Wrap a part's context manager: its version and its time go into the session's summary."""

    @contextmanager
    def started(part):
        began = time.monotonic()
        with part as running:
            seconds = time.monotonic() - began
            pytestconfig.stash[STARTED].append(f"{running.version}, ready after {seconds:.1f} s")
            yield running

    return started


@pytest.fixture(scope="session")
def note(pytestconfig):
    """Add a line to the session's summary."""
    return pytestconfig.stash[STARTED].append


@pytest.fixture(scope="session")
def keycloak(started, tmp_path_factory):
    with started(keycloaks.running(tmp_path_factory.mktemp("keycloak"))) as keycloak:
        yield keycloak


@pytest.fixture(scope="session")
def oidc_provider(started, tmp_path_factory):
    with started(oidc_providers.running(tmp_path_factory.mktemp("oidc_provider"))) as provider:
        yield provider


@pytest.fixture(scope="session")
def provider_mock(started, tmp_path_factory):
    with started(provider_mocks.running(tmp_path_factory.mktemp("provider_mock"))) as provider:
        yield provider


@pytest.fixture(scope="session")
def local_model(pytestconfig):
    """The demo's real language model; it speaks both vendors' formats."""
    from rolecall.demo.model import LocalModel, ModelUnavailable, fetch_model

    try:
        model = LocalModel.start(fetch_model())
    except ModelUnavailable as unavailable:
        missing("the local model", str(unavailable))
    with model:
        pytestconfig.stash[STARTED].append(model.describe)
        yield model


@pytest.fixture(scope="session")
def upstream(pytestconfig):
    """Anthropic and OpenAI in their recorded shapes, for the vendors' own clients."""
    clients = ", ".join(f"{name} {version(name)}" for name in ("openai", "anthropic"))
    pytestconfig.stash[STARTED].append(f"clients: {clients}")
    with upstreams.running() as upstream:
        yield upstream


@pytest.fixture
def start_gateway(tmp_path):
    """Call it with a configuration and the environment; every gateway must end in order."""
    numbers = itertools.count(1)
    with ExitStack() as running:

        def start(config, *, ready=True, workers=1, **env):
            folder = tmp_path / f"gateway-{next(numbers)}"
            gateway = gateways.running(folder, config, ready=ready, workers=workers, **env)
            return running.enter_context(gateway)

        yield start


@pytest.fixture(scope="session")
def forge():
    """Make a token whose signature is made up: of an issuer, with a key ID."""

    def forge(issuer, key_id):
        header = {"alg": "RS256", "typ": "at+jwt", "kid": key_id}
        claims = {
            "iss": issuer,
            "aud": oidc_providers.AUDIENCE,
            "sub": "batch",
            "exp": int(time.time()) + 300,
        }
        parts = (json.dumps(header).encode(), json.dumps(claims).encode(), bytes(256))
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    return forge
