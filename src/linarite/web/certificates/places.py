"""Where the local authority lies; known to those too who need nothing else of it."""

from __future__ import annotations

FOLDER = "ca"
"""in the home"""
KEY_FILE = "authority.pem"
"""key and certificate: its owner's alone"""
CA_FILE = "ca.pem"
"""the certificate by itself, to be handed out"""
BUNDLE_FILE = "bundle.pem"
"""it and the public authorities, for what takes one file instead of those it knows"""
