"""How commands ask a control plane: which server, whose account, how answers are shown."""
