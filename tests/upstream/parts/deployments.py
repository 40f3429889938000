"""Deployments as a configuration makes them."""

from rolecall.config import ModelSettings, Timeouts
from rolecall.core import Call, Source
from rolecall.upstream import Catalogue


def deployment(model="gpt", provider="openai", endpoint="chat"):
    """What serves the name ``gpt`` at an endpoint."""
    served = ModelSettings(
        name="gpt",
        provider=provider,
        model=model,
        api_base="https://upstream.example",
        api_key="sk-company",
        timeouts=Timeouts(),
        tls=None,
        source=Source("rolecall.yaml", 1),
    )
    return Catalogue([served]).choose(Call(endpoint, "gpt"))
