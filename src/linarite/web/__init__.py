"""The HTTP kit all planes share: edge, errors, bodies, server-sent events, the listener."""
