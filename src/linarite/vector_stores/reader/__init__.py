"""Processes that read the text out of one file each, and have nothing else to lose.

They are forks of one that has never seen a file. Bytes come to them, text goes back.
"""
