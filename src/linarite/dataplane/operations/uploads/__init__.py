"""…/uploads: files that come in parts."""
