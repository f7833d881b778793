"""The rows of the tables: each knows how to start one server in front of the fake upstream."""
