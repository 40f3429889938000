"""GitHub Actions: a job's token, whose audience the job has chosen.

So ``aud`` lets nobody in, and the configuration must require a claim that says whose job it is.
Source: GitHub's "OpenID Connect reference".
"""

from typing import Final

from rolecall.identity.profiles.profile import Profile, foreign_kind

PROFILE: Final = Profile(
    client_claims=(),
    not_access_token=foreign_kind,
    is_workload=lambda _claims: True,
)
