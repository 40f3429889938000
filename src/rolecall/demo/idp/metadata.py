"""What the provider publishes about itself."""

from typing import Any

from rolecall.demo.idp.directory import CLIENT_CREDENTIALS, PERSON_GRANTS
from rolecall.demo.idp.grants import CLIENT_METHODS
from rolecall.demo.idp.tokens import Tokens


def metadata(base: str, tokens: Tokens) -> dict[str, Any]:
    """Write the discovery document (OpenID Connect Discovery 1.0, 3; RFC 8414, 8628 4, 9207 3)."""
    shape, paths = tokens.shape, tokens.shape.endpoints
    return {
        "issuer": tokens.issuer,
        "authorization_endpoint": base + paths.authorize,
        "token_endpoint": base + paths.token,
        "device_authorization_endpoint": base + paths.device,
        "userinfo_endpoint": base + paths.userinfo,
        "jwks_uri": base + paths.keys,
        "grant_types_supported": [*PERSON_GRANTS, CLIENT_CREDENTIALS],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": [shape.subject_type],
        "id_token_signing_alg_values_supported": [tokens.keys.algorithm],
        "scopes_supported": list(shape.scopes_supported),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "name", "preferred_username"],
        "token_endpoint_auth_methods_supported": CLIENT_METHODS,
        "code_challenge_methods_supported": ["S256"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
