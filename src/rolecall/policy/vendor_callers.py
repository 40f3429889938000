"""Callers as identity providers write them, for policy tests: `caller: entra-user`.

Shapes after the providers' documentation; every name and ID in them is invented. ``iss``, ``aud``
and times are left out: they are the configuration's business, not the policy's.
"""

from collections.abc import Mapping
from typing import Any, Final

_ENTRA: Final = {
    "tid": "11111111-2222-4333-8444-555555555555",
    "ver": "2.0",
    "azp": "99999999-8888-4777-8666-555555555555",
}

VENDOR_CALLERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "keycloak-user": (
        "keycloak",
        {
            "sub": "f3a1c9d2-0000-4000-8000-000000000001",
            "typ": "Bearer",
            "azp": "chat-ui",
            "preferred_username": "john",
            "email": "john@example.com",
            "scope": "openid profile email",
            "realm_access": {"roles": ["offline_access", "basic_user"]},
            "resource_access": {"llm-gateway": {"roles": ["basic_user"]}},
            "groups": ["/staff", "/staff/ml"],
        },
    ),
    # a token exchange with an actor_token (keycloak/keycloak#50204)
    "keycloak-delegated": (
        "keycloak",
        {
            "sub": "f3a1c9d2-0000-4000-8000-000000000001",
            "typ": "Bearer",
            "azp": "planner",
            "preferred_username": "john",
            "email": "john@example.com",
            "scope": "profile email",
            "realm_access": {"roles": ["offline_access", "basic_user"]},
            "groups": ["/staff", "/staff/ml"],
            "act": {"sub": "f3a1c9d2-0000-4000-8000-000000000003"},
        },
    ),
    "keycloak-service": (
        "keycloak",
        {
            "sub": "f3a1c9d2-0000-4000-8000-000000000002",
            "typ": "Bearer",
            "azp": "nightly-report",
            "client_id": "nightly-report",
            "preferred_username": "service-account-nightly-report",
            "scope": "profile email",
            "realm_access": {"roles": ["batch"]},
        },
    ),
    "entra-user": (
        "entra",
        {
            **_ENTRA,
            "sub": "pairwise-john",
            "oid": "0f0f0f0f-0000-4000-8000-000000000001",
            "name": "John Doe",
            "preferred_username": "john@example.com",
            "scp": "Models.Call",
            "azpacr": "0",
            "roles": ["basic_user"],
            "groups": ["a1a1a1a1-0000-4000-8000-000000000001"],
        },
    ),
    "entra-app": (
        "entra",
        {
            **_ENTRA,
            "sub": "0f0f0f0f-0000-4000-8000-000000000002",
            "oid": "0f0f0f0f-0000-4000-8000-000000000002",
            "idtyp": "app",
            "azpacr": "1",
            "roles": ["basic_user"],
        },
    ),
    "okta-user": (
        "okta",
        {
            "sub": "john@example.com",
            "ver": 1,
            "uid": "00u1john",
            "cid": "0oa1chat",
            "scp": ["openid", "llm.invoke"],
            "groups": ["Everyone", "AI Users"],
        },
    ),
    "auth0-user": (
        "auth0",
        {
            "sub": "auth0|65f0",
            "azp": "spaClient",
            "scope": "openid profile llm:invoke",
            "permissions": ["llm:invoke"],
            "https://example.com/roles": ["basic_user"],
        },
    ),
    "google-user": (
        "google",
        {
            "sub": "110169484474386276334",
            "azp": "chat-ui.apps.googleusercontent.com",
            "hd": "example.com",
            "email": "john@example.com",
            "email_verified": True,
        },
    ),
    "cognito-user": (
        "cognito",
        {
            "sub": "aaaaaaaa-bbbb-4ccc-8ddd-000000000001",
            "token_use": "access",
            "client_id": "1example23456789",
            "username": "john",
            "scope": "openid llm/invoke",
            "cognito:groups": ["basic_user"],
        },
    ),
    "github-actions": (
        "github-actions",
        {
            "sub": "repo:acme/app:ref:refs/heads/main",
            "repository": "acme/app",
            "repository_owner": "acme",
            "ref": "refs/heads/main",
            "ref_protected": "true",
            "environment": "production",
            "workflow": "nightly",
            "event_name": "schedule",
            "actor": "john",
        },
    ),
    "gitlab-ci": (
        "gitlab-ci",
        {
            "sub": "project_path:acme/app:ref_type:branch:ref:main",
            "project_path": "acme/app",
            "namespace_path": "acme",
            "ref": "main",
            "ref_type": "branch",
            "ref_protected": "true",
            "pipeline_source": "schedule",
            "user_login": "john",
        },
    ),
    "kubernetes": (
        "kubernetes",
        {
            "sub": "system:serviceaccount:reports:nightly",
            "kubernetes.io": {
                "namespace": "reports",
                "serviceaccount": {
                    "name": "nightly",
                    "uid": "cccccccc-0000-4000-8000-000000000001",
                },
            },
        },
    ),
}
"""By name: the profile whose tokens look like this, and the claims."""
