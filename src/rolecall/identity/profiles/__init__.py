"""What each provider's tokens look like: one file a provider, one table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rolecall.config.settings import Profile as ProfileName
from rolecall.identity.profiles import (
    auth0,
    cognito,
    entra,
    generic,
    github_actions,
    gitlab_ci,
    google,
    keycloak,
    kubernetes,
    okta,
)
from rolecall.identity.profiles.profile import Profile

PROFILES: Final[Mapping[ProfileName, Profile]] = MappingProxyType(
    {
        "auth0": auth0.PROFILE,
        "cognito": cognito.PROFILE,
        "entra": entra.PROFILE,
        "generic": generic.PROFILE,
        "github-actions": github_actions.PROFILE,
        "gitlab-ci": gitlab_ci.PROFILE,
        "google": google.PROFILE,
        "keycloak": keycloak.PROFILE,
        "kubernetes": kubernetes.PROFILE,
        "okta": okta.PROFILE,
    }
)

__all__ = ["PROFILES", "Profile"]
