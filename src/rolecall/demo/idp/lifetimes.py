"""How long what the provider issues is good for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lifetimes in seconds.

    ``device_interval`` is the wait between two polls of a device (RFC 8628 3.2). A code lives at
    most ten minutes by RFC 6749 4.1.2, and here one, as Keycloak's.
    """

    access_token: int = 300
    id_token: int = 300
    authorization_code: int = 60
    device_code: int = 600
    device_interval: int = 5
