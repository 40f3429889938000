"""The device flow, on Authlib's: asking for the codes, and polling (RFC 8628)."""

from typing import Any

from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidGrantError, UnauthorizedClientError
from authlib.oauth2.rfc8628 import (
    AuthorizationPendingError,
    DeviceAuthorizationEndpoint,
    DeviceCodeGrant,
    ExpiredTokenError,
    SlowDownError,
)

from rolecall.demo.idp.devices import Device
from rolecall.demo.idp.directory import DEVICE_CODE, Client, SignIn


class DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc] # Authlib is untyped
    """Where a device asks for its codes (RFC 8628 3.1)."""

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.EXPIRES_IN = server.lifetimes.device_code
        self.INTERVAL = server.lifetimes.device_interval

    def authenticate_client(self, request: Any) -> Client:
        """Refuse a client without the grant now, before a person types anything."""
        client: Client = super().authenticate_client(request)
        if not client.check_grant_type(DEVICE_CODE):
            raise UnauthorizedClientError("The client may not use the device flow")
        return client

    def get_verification_uri(self) -> str:
        """Return the page where a person types the code."""
        uri: str = self.server.verification_uri
        return uri

    def save_device_credential(
        self, client_id: str, scope: str | None, data: dict[str, Any]
    ) -> None:
        """Remember the device until it is approved."""
        self.server.devices.add(data["device_code"], data["user_code"], client_id, scope or "")


class DevicePoll(DeviceCodeGrant):  # type: ignore[misc] # Authlib is untyped
    """Where a device asks whether it was approved (RFC 8628 3.4)."""

    def query_device_credential(self, device_code: str) -> Device:
        """Find the device; an unknown code is an invalid grant (RFC 6749 5.2)."""
        device: Device | None = self.server.devices.find(device_code)
        if device is None:
            raise InvalidGrantError("The device code is not known")
        return device

    def validate_device_credential(self, credential: Device) -> SignIn:
        """Return who approved the device, or say why it has to wait or give up (3.5)."""
        devices = self.server.devices
        if devices.has_expired(credential):
            raise ExpiredTokenError
        if credential.sign_in is not None:
            return credential.sign_in
        if credential.decided:
            raise AccessDeniedError
        if devices.poll(credential):
            raise SlowDownError
        raise AuthorizationPendingError

    def create_token_response(self) -> Any:
        """Issue the token to the first of two polls that come at once."""
        if self.server.devices.take(self.request.payload.data["device_code"]) is None:
            raise InvalidGrantError("The device code was used")
        return super().create_token_response()
