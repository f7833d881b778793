"""Whom this server knows: users, groups, applications and what acts in their name."""
