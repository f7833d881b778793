"""Linarite.Operations/dataReports: what is held of an account."""
