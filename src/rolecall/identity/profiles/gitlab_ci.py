"""GitLab CI: a job's ID token (``id_tokens:``), whose audience the job has chosen.

So ``aud`` lets nobody in, and the configuration must require a claim that says whose job it is.
Source: GitLab's "OpenID Connect (OIDC) authentication using ID tokens".
"""

from typing import Final

from rolecall.identity.profiles.profile import Profile, foreign_kind

PROFILE: Final = Profile(
    client_claims=(),
    not_access_token=foreign_kind,
    is_workload=lambda _claims: True,
)
