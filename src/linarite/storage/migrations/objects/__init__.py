"""The revisions of `objects.db`."""
