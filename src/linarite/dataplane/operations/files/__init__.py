"""…/files: what applications store with the account."""
