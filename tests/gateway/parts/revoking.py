"""A gateway that keeps revocations, and an administrator of it."""

from hashlib import sha256

from . import serving
from .tokens import AUDIENCE, ISSUER

ADMIN_KEY = "rolecall_" + "c3" * 32
ADMIN = ("Authorization", f"Bearer {ADMIN_KEY}")
JSON = ("Content-Type", "application/json")


def configuration(folder, upstream_url, **revocations):
    """Everything that revokes is configured; the file lies in the folder."""
    sections = serving.configuration(folder, upstream_url)
    (issuer,) = sections["issuers"]
    issuer["logout_audience"] = "chat-ui"
    issuer["event_audience"] = AUDIENCE
    return {
        **sections,
        "keys": [
            {
                "hash": f"sha256:{sha256(ADMIN_KEY.encode()).hexdigest()}",
                "subject": "security",
                "roles": ["security"],
                "expires": "never",
            }
        ],
        "revocations": {
            "administrators": ["security"],
            "file": str(folder / "revocations.db"),
            **revocations,
        },
    }


def revoke(gateway, **fields):
    """Ask as an administrator."""
    body = {"issuer": ISSUER, **fields}
    return gateway.post("/revocations", body, ADMIN, authorised=False)


def listed(gateway, query=""):
    reply = gateway.get(f"/revocations{query}", ADMIN, authorised=False)
    assert reply.status == 200
    return reply.json


def take_back(gateway, number):
    return gateway.get(f"/revocations/{number}", ADMIN, authorised=False, method="DELETE")
