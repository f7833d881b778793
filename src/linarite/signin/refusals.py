"""What the sign-in plane refuses: Microsoft Entra ID's codes, with words that teach.

Source: learn.microsoft.com, "Microsoft Entra authentication and authorization error codes".
"""

from __future__ import annotations

from linarite.domain.errors import LinariteError

CODES: dict[int, tuple[int, str, str]] = {
    900144: (
        400,
        "invalid_request",
        "The request body must contain the following parameter: '{parameter}'.",
    ),
    900023: (
        400,
        "invalid_request",
        (
            "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid "
            "external domain. This server has one tenant, {own}."
        ),
    ),
    90002: (
        400,
        "invalid_request",
        (
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID: this"
            " server has one tenant, {own}."
        ),
    ),
    900561: (
        400,
        "invalid_request",
        "The endpoint only accepts {allowed} requests. Received a {method} request.",
    ),
    90014: (400, "invalid_request", "The request is malformed: {why}."),
    70003: (
        400,
        "unsupported_grant_type",
        (
            "The app requested an unsupported grant type '{grant}'. There are: "
            "client_credentials, authorization_code, refresh_token, "
            "urn:ietf:params:oauth:grant-type:device_code and "
            "urn:ietf:params:oauth:grant-type:jwt-bearer."
        ),
    ),
    70002: (
        400,
        "unsupported_grant_type",
        (
            "Passwords are not taken by programs here (grant_type=password): whoever sees one can"
            " use it anywhere. Sign people in with a device code or in the browser, and programs "
            "with a client secret, a certificate or a managed identity."
        ),
    ),
    70011: (
        400,
        "invalid_scope",
        (
            "The provided value for the input parameter 'scope' is not valid: '{scope}' names no "
            "resource. Write, for example, https://cognitiveservices.azure.com/.default."
        ),
    ),
    1002012: (
        400,
        "invalid_scope",
        (
            "The provided value for scope {scope} is not valid. Client credential flows must have"
            " a scope value with /.default suffixed to the resource identifier (application ID "
            "URI)."
        ),
    ),
    28000: (
        400,
        "invalid_scope",
        (
            "Provided value for the input parameter scope is not valid because it contains more "
            "than one resource: '{scope}'. Ask for one at a time."
        ),
    ),
    500011: (
        400,
        "invalid_resource",
        (
            "The resource principal named {resource} was not found in the tenant. Tokens are "
            "given out for Azure's resources (https://cognitiveservices.azure.com, "
            "https://ai.azure.com, https://management.azure.com, https://graph.microsoft.com), "
            "for this server's own URL, for applications by their identifier URI, and for what "
            "settings name: signin.audiences."
        ),
    ),
    700016: (
        400,
        "unauthorized_client",
        (
            "Application with identifier '{client}' was not found in the directory. Check client "
            "ID and tenant; `linarite identity app list` shows what is registered."
        ),
    ),
    7000112: (400, "unauthorized_client", "Application '{client}' is disabled."),
    7000215: (
        401,
        "invalid_client",
        (
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to app '{client}'."
        ),
    ),
    7000222: (
        401,
        "invalid_client",
        (
            "The provided client secret keys for app '{client}' are expired. Make a new one: "
            "linarite identity app secret add {client}"
        ),
    ),
    7000216: (
        401,
        "invalid_client",
        (
            "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type."
        ),
    ),
    7000218: (
        401,
        "invalid_client",
        (
            "The request body must contain the following parameter: 'client_assertion' or "
            "'client_secret'. If this program can keep no secret, make its registration one for "
            "public clients: linarite identity app create NAME --public-client"
        ),
    ),
    700025: (
        401,
        "invalid_client",
        ("Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
    ),
    50027: (401, "invalid_client", "JWT token is invalid or malformed: {why}."),
    700027: (
        401,
        "invalid_client",
        (
            "The certificate with identifier used to sign the client assertion is not registered "
            "on application, or the signature does not verify: {why}."
        ),
    ),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range: {why}."),
    700021: (
        401,
        "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter.",
    ),
    700023: (
        401,
        "invalid_client",
        (
            "Client assertion audience claim does not match Realm issuer: '{audience}' is not "
            "this token endpoint."
        ),
    ),
    70021: (
        401,
        "invalid_client",
        (
            "No matching federated identity record found for presented assertion. Assertion "
            "Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: "
            "'{audience}'. Add it: linarite identity app federated add {client} --issuer … "
            "--subject …"
        ),
    ),
    700213: (401, "invalid_client", "The federated assertion proves nothing here: {why}."),
    50126: (
        400,
        "invalid_grant",
        "Error validating credentials due to invalid username or password.",
    ),
    50057: (400, "invalid_grant", "The user account is disabled."),
    50053: (
        400,
        "invalid_grant",
        (
            "The account is locked for a moment: too many sign-in attempts failed. Try again in "
            "{wait_s} s."
        ),
    ),
    50058: (
        400,
        "login_required",
        (
            "A silent sign-in request was sent but no user is signed in: no sessions are kept "
            "in browsers. Ask without prompt=none."
        ),
    ),
    65004: (400, "access_denied", "User declined to sign in to the application."),
    700054: (
        400,
        "unsupported_response_type",
        "The only response_type is 'code'; tokens are fetched with it at the token endpoint.",
    ),
    50011: (
        400,
        "invalid_request",
        (
            "The redirect URI '{uri}' specified in the request does not match the redirect URIs "
            "configured for the application '{client}'. Add it: linarite identity app update "
            "{client} --redirect-uri URI"
        ),
    ),
    90055: (429, "temporarily_unavailable", "Too many attempts. Try again in {wait_s} s."),
    70016: (
        400,
        "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    ),
    70020: (400, "expired_token", "The device code has expired. Ask for a new one."),
    70019: (400, "bad_verification_code", "The device code is not known here, or was used."),
    70000: (400, "authorization_declined", "The person refused."),
    54005: (
        400,
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, or is not known here.",
    ),
    70008: (
        400,
        "invalid_grant",
        (
            "The provided authorization code or refresh token has expired due to inactivity. Send"
            " a new interactive authorization request."
        ),
    ),
    501481: (
        400,
        "invalid_grant",
        (
            "The Code_Verifier does not match the code_challenge supplied in the authorization "
            "request."
        ),
    ),
    9002325: (
        400,
        "invalid_request",
        (
            "Proof Key for Code Exchange is required for authorization code redemption: send "
            "code_challenge with code_challenge_method=S256."
        ),
    ),
    70043: (
        400,
        "invalid_grant",
        (
            "The refresh token was used before: somebody has a copy. All tokens of its family are"
            " void; sign in again."
        ),
    ),
    9002313: (400, "invalid_grant", "The refresh token is not known here."),
    50173: (
        400,
        "invalid_grant",
        (
            "The provided grant has expired due to it being revoked: the account was disabled, or"
            " its password or sessions were reset. Sign in again."
        ),
    ),
    700082: (400, "invalid_grant", "The refresh token belongs to another application."),
    50013: (400, "invalid_grant", "Assertion failed signature validation: {why}."),
    500131: (
        400,
        "invalid_grant",
        (
            "Assertion audience does not match the Client app presenting the assertion. The "
            "audience in the assertion presented was '{audience}'; it must be the app '{client}'."
        ),
    ),
}
"""number → status, OAuth error, text"""


class IdentityRefused(LinariteError):
    """A managed identity's endpoint refuses, in the words of Azure's Instance Metadata Service."""

    def __init__(
        self, status: int, error: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        """`error` is OAuth's word."""
        super().__init__(message, headers=headers)
        self.status = status
        self.code = self.error = error


class SignInRefused(LinariteError):
    """A refusal with its AADSTS number."""

    def __init__(
        self, number: int, description: str, *, headers: dict[str, str] | None = None
    ) -> None:
        """The status and OAuth's word follow from the number."""
        self.status, self.error, _ = CODES[number]
        super().__init__(f"AADSTS{number}: {description}", headers=headers)
        self.number = number
        self.code = self.error


def refused(number: int, **facts: str) -> SignInRefused:
    """The refusal of a number; what was sent is shown shortened."""
    status, _, text = CODES[number]
    headers = {"retry-after": facts["wait_s"]} if "wait_s" in facts else {}
    if status == 401:  # noqa: PLR2004 - RFC 6749, 5.2
        headers["www-authenticate"] = "Basic realm=signin"
    return SignInRefused(
        number,
        text.format_map({name: value[:200] for name, value in facts.items()}),
        headers=headers,
    )
