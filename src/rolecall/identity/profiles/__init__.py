"""What each provider's tokens look like: one file a provider, one table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rolecall.config.settings import Profile as ProfileName
from rolecall.identity.profiles import entra, generic, keycloak
from rolecall.identity.profiles.profile import Profile

PROFILES: Final[Mapping[ProfileName, Profile]] = MappingProxyType(
    {"generic": generic.PROFILE, "keycloak": keycloak.PROFILE, "entra": entra.PROFILE}
)

__all__ = ["PROFILES", "Profile"]
