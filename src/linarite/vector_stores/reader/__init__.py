"""A process that reads the text out of one file, and has nothing else to lose.

Bytes come on its standard input, text goes to its standard output.
"""
