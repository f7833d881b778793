"""Who somebody is and what they may do: sign-in, verification, roles and audit, wired together."""
