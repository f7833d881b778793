"""Linarite.Access/applicationKeys: an account's keys for single applications."""
