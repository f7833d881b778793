"""Who is calling: guards every route of the data plane and of the control plane.

Raises InvalidKey (401) and KeyAuthenticationDisabled (403) for keys, TokenRefused (401),
ForeignTenant (400) and, while an issuer's keys can't be had, ServiceUnavailable for tokens.
Settings: `tokens.*` and `issuers.NAME.*`.

Keys follow Azure's authentication page: `api-key` with either key, or the key as a bearer token
where a client can send nothing else. A bearer token with a dot in it is an access token: a JWT,
signed as its issuer's settings say, under a key whose id the issuer publishes. Sources: RFC 7515,
7519, 8725 (best practices for JWT) and 9068 (access tokens).
"""
