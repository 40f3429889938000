"""The development identity provider: a real OpenID provider, on loopback, for demos and tests.

It needs the extra ``demo`` (``pip install rolecall[demo]``).
"""

from rolecall.demo.idp.directory import Client, Directory, User, workload
from rolecall.demo.idp.lifetimes import Lifetimes
from rolecall.demo.idp.provider import DevelopmentIdP, ShapeName

__all__ = [
    "Client",
    "DevelopmentIdP",
    "Directory",
    "Lifetimes",
    "ShapeName",
    "User",
    "workload",
]
