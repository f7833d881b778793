"""Linarite.Hosting/calibrations: what models were seen to do on this hardware."""
