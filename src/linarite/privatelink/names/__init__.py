"""A small authoritative DNS responder: it knows its own zones and asks nobody."""
