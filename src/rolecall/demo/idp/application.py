"""The provider over HTTP: a Flask application with an issuer's endpoints."""

import re
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError
from flask import Flask, Response, abort, jsonify, request

from rolecall.demo.idp import graph, pages
from rolecall.demo.idp.authorization import Authorization
from rolecall.demo.idp.entra import Entra
from rolecall.demo.idp.loopback import is_loopback
from rolecall.demo.idp.metadata import metadata
from rolecall.demo.idp.tokens import Tokens
from rolecall.demo.idp.userinfo import UserInfo

_MAX_BODY: Final = 16 * 1024
_FORM_FIELDS: Final = frozenset({"username", "password", "decision"})
_ECHOED: Final = ("client_id", "redirect_uri", "response_type")
_ERROR_TEXT: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
_WRONG_PASSWORD: Final = "This is not the person's password."  # noqa: S105 - a sentence


def application(base: str, tokens: Tokens) -> Flask:
    """Build the application.

    Args:
        base: the scheme and authority that it is reached under, without a path.
        tokens: the tokens that it issues.
    """
    paths = tokens.shape.endpoints
    server = Authorization(tokens, base + paths.verification)
    app = Flask("rolecall.demo.idp", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY

    app.before_request(_refuse_other_names)
    _publish(app, base, tokens)
    _answer_clients(app, server, tokens)
    _answer_people(app, server, tokens)
    if isinstance(tokens.shape, Entra):
        graph.publish(app, tokens.shape, tokens)
    return app


def _publish(app: Flask, base: str, tokens: Tokens) -> None:
    paths = tokens.shape.endpoints
    document = metadata(base, tokens)

    @app.get(paths.discovery)
    def discovery() -> Response:
        return jsonify(document)

    @app.get(paths.keys)
    def key_set() -> Response:
        return jsonify(tokens.shape.key_set(tokens.issuer, tokens.keys))


def _answer_clients(app: Flask, server: Authorization, tokens: Tokens) -> None:
    paths = tokens.shape.endpoints
    user_info = UserInfo(tokens)

    @app.post(paths.token)
    def token() -> Response:
        _refuse_ambiguous()
        return cast("Response", server.create_token_response())

    @app.post(paths.device)
    def device() -> Response:
        _refuse_ambiguous()
        return cast("Response", server.create_endpoint_response("device_authorization"))

    @app.route(paths.userinfo, methods=["GET", "POST"])
    def userinfo() -> Response:
        return jsonify(user_info.answer())

    @app.errorhandler(OAuth2Error)
    def refused(error: OAuth2Error) -> Response:
        return cast("Response", server.handle_error_response(None, error))


def _answer_people(app: Flask, server: Authorization, tokens: Tokens) -> None:
    paths = tokens.shape.endpoints
    directory = tokens.shape.directory

    @app.route(paths.authorize, methods=["GET", "POST"])
    def authorize() -> Response:
        try:
            _refuse_unspeakable()
            grant = server.get_consent_grant()
        except OAuth2Error as error:
            return _refusal(server, error, tokens.issuer)
        if request.form.get("decision") == "deny":
            response = server.create_authorization_response(grant_user=None, grant=grant)
            return _with_issuer(response, tokens.issuer)
        username = request.form.get("username", "")
        sign_in = server.sign_in(username, request.form.get("password", ""))
        if sign_in is None:
            wrong = _WRONG_PASSWORD if username else ""
            page = pages.sign_in_page(
                directory, grant.client.client_id, _continued(paths.authorize), username, wrong
            )
            return _page(page, 400 if wrong else 200)
        response = server.create_authorization_response(grant_user=sign_in, grant=grant)
        return _with_issuer(response, tokens.issuer)

    @app.get(paths.verification)
    def verification() -> Response:
        code = request.args.get("user_code", "")
        return _page(pages.device_page(directory, paths.verification, code))

    @app.post(paths.verification)
    def decide() -> Response:
        code, username = request.form.get("user_code", ""), request.form.get("username", "")
        waiting = server.devices.waiting(code)
        sign_in = server.sign_in(username, request.form.get("password", ""))
        if waiting is None or sign_in is None:
            wrong = _WRONG_PASSWORD if waiting else "No device waits with this code."
            page = pages.device_page(directory, paths.verification, code, username, wrong)
            return _page(page, 400)
        if request.form.get("decision") != "approve":
            server.devices.decide(waiting, None)
            return _page(pages.message_page("Device denied", "It will not be signed in."))
        server.devices.decide(waiting, sign_in)
        return _page(pages.message_page("Device approved", "You can go back to it now."))


def _refuse_other_names() -> None:
    """Turn away a page elsewhere that pointed its own name at loopback (DNS rebinding).

    Flask's ``TRUSTED_HOSTS`` cannot name an IPv6 address.
    """
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        abort(400)


def _refuse_ambiguous() -> None:
    """Read the body alone, each parameter once (RFC 6749 2.3.1, 3.2), and a header that is text."""
    if request.query_string:
        raise InvalidRequestError("Parameters belong into the body")
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise InvalidRequestError("A parameter is repeated")
    header = request.headers.get("Authorization", "")
    if not header.isascii() or (header and request.authorization is None):
        raise InvalidClientError("The Authorization header cannot be read", status_code=401)


def _refuse_unspeakable() -> None:
    """Refuse values that an error could not repeat (RFC 6749 4.1.2.1).

    Authlib puts these parameters into its error descriptions, and fails when it may not.
    """
    for name in _ECHOED:
        if _ERROR_TEXT.fullmatch(request.values.get(name, "")) is None:
            raise InvalidRequestError(f"'{name}' holds characters that it cannot hold")


def _continued(path: str) -> str:
    """Carry the authorization request along in the address that the form is sent to."""
    asked = [(name, value) for name, value in request.values.items() if name not in _FORM_FIELDS]
    return f"{path}?{urlencode(asked)}"


def _refusal(server: Authorization, error: OAuth2Error, issuer: str) -> Response:
    """Send the error to the client, or show it where the client cannot be trusted with it."""
    if error.redirect_uri:
        return _with_issuer(server.handle_error_response(None, error), issuer)
    return _page(pages.message_page("The request was refused", error.get_error_description()), 400)


def _with_issuer(response: Response, issuer: str) -> Response:
    """Say which issuer answers, against mix-ups (RFC 9207 2)."""
    response.location = add_params_to_uri(response.location, [("iss", issuer)])
    return response


def _page(text: str, status: int = 200) -> Response:
    return Response(text, status=status, headers=pages.HEADERS, mimetype="text/html")
