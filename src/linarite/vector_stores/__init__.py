"""Vector stores: files that are read, cut, turned into vectors, and found by what they say.

Imports nothing: the process that reads a file begins here.
"""
