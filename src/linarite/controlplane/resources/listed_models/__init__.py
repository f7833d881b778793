"""Linarite.Hosting/models: the catalogue of models, which here is the operator's to keep."""
