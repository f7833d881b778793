"""Who is calling: guards every data-plane route.

Raises InvalidKey (401) and KeyAuthenticationDisabled (403). Follows Azure's authentication page:
`api-key` with either key, or the key as a bearer token where a client can send nothing else.
"""
