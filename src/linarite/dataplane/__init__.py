"""The OpenAI-shaped API: `routes.py` is the table, `pipeline.py` the path of every request."""
