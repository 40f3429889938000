"""Devices that wait for a person to approve them (RFC 8628)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rolecall.demo.idp.directory import SignIn
from rolecall.demo.idp.expiring import Expiring
from rolecall.demo.idp.lifetimes import Lifetimes

_SLOWER: Final = 5


@dataclass(slots=True)
class Device:
    """A device's request, read and changed under the lock of ``Devices``.

    ``decided`` with no ``sign_in`` is a refusal. The methods are the questions that Authlib asks.
    """

    client_id: str
    scope: str
    user_code: str
    expires_at: float
    interval: float
    polled_at: float | None = None
    decided: bool = False
    sign_in: SignIn | None = None

    def get_client_id(self) -> str:
        """Name the client that the device runs."""
        return self.client_id

    def get_scope(self) -> str:
        """Return the scopes that the device asked for."""
        return self.scope


class Devices:
    """The waiting devices, by their own code and by the one that a person types.

    A request is remembered for twice its lifetime, so that a late poll hears ``expired_token``.
    """

    def __init__(self, lifetimes: Lifetimes, clock: Callable[[], float]) -> None:
        keep = 2 * lifetimes.device_code
        self._lifetimes = lifetimes
        self._clock = clock
        self._turn = threading.Lock()
        self._by_device_code: Expiring[Device] = Expiring(keep, clock)
        self._by_user_code: Expiring[Device] = Expiring(keep, clock)

    def __len__(self) -> int:
        return len(self._by_device_code)

    def add(self, device_code: str, user_code: str, client_id: str, scope: str) -> None:
        """Begin to wait."""
        device = Device(
            client_id,
            scope,
            user_code,
            expires_at=self._clock() + self._lifetimes.device_code,
            interval=self._lifetimes.device_interval,
        )
        self._by_device_code.put(device_code, device)
        self._by_user_code.put(_typed(user_code), device)

    def find(self, device_code: str) -> Device | None:
        """Find a device by its own code."""
        return self._by_device_code.get(device_code)

    def waiting(self, user_code: str) -> Device | None:
        """Find a device that nobody has decided about by what a person typed."""
        device = self._by_user_code.get(_typed(user_code))
        if device is None or device.decided or self.has_expired(device):
            return None
        return device

    def has_expired(self, device: Device) -> bool:
        """Tell whether the time to decide is over."""
        return device.expires_at <= self._clock()

    def decide(self, device: Device, sign_in: SignIn | None) -> None:
        """Approve a device for a person, or refuse it where there is none; the first word holds."""
        with self._turn:
            if not device.decided:
                device.sign_in = sign_in
                device.decided = True

    def poll(self, device: Device) -> bool:
        """Note a poll and tell whether it came too soon; if so, the next wait is longer (3.5)."""
        with self._turn:
            now = self._clock()
            last, device.polled_at = device.polled_at, now
            if last is None or now - last >= device.interval:
                return False
            device.interval += _SLOWER
            return True

    def take(self, device_code: str) -> Device | None:
        """Stop waiting: a device code is good for one token."""
        device = self._by_device_code.take(device_code)
        if device is not None:
            self._by_user_code.take(_typed(device.user_code))
        return device


def _typed(user_code: str) -> str:
    """Ignore case and punctuation, as people type (RFC 8628 6.1)."""
    return "".join(character for character in user_code.upper() if character.isalnum())
