"""The load generator: requests over kept connections, as cheaply as Python can."""
