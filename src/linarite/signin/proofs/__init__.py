"""How an application proves to be itself: a secret, a certificate, somebody else's token."""
