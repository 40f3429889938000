"""Microsoft Graph, as much of it as tells which groups a person is a member of.

Source: Microsoft's "directoryObject: getMemberGroups" and "Microsoft Graph error responses".
"""

from typing import Final

from flask import Flask, Response, jsonify, request

from rolecall.demo.idp.entra import Entra
from rolecall.demo.idp.tokens import Tokens

_NEEDED: Final = frozenset({"User.ReadBasic.All", "GroupMember.Read.All"})


def publish(app: Flask, shape: Entra, tokens: Tokens) -> None:
    """Answer programs that were permitted to read memberships."""
    people = {user.subject: user for user in shape.directory.users}

    @app.post("/v1.0/users/<object_id>/getMemberGroups")
    def member_groups(object_id: str) -> Response:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = tokens.read(token) if kind == "Bearer" else None
        if claims is None or claims.get("aud") != shape.graph:
            return _error(401, "InvalidAuthenticationToken")
        if not _NEEDED.issubset(claims.get("roles", ())):
            return _error(403, "Authorization_RequestDenied")
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("securityEnabledOnly"), bool):
            return _error(400, "Request_BadRequest")
        if object_id not in people:
            return _error(404, "Request_ResourceNotFound")
        context = f"{shape.graph}/v1.0/$metadata#Collection(Edm.String)"
        return jsonify({"@odata.context": context, "value": list(people[object_id].groups)})


def _error(status: int, code: str) -> Response:
    response = jsonify({"error": {"code": code, "message": code}})
    response.status_code = status
    return response
