"""The controls: decisions over facts, one folder each.

A control says in its `__init__` what it guards, what it raises and which settings it reads. None
imports another; the data path calls them by name, in the order that is written there.
"""
