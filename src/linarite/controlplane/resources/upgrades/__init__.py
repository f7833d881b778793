"""Linarite.Hosting/upgrades: what becomes of deployments when their versions change or end."""
