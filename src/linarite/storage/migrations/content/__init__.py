"""The revisions of `content.db`."""
