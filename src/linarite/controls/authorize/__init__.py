"""Who may do what: Azure's roles, deny assignments, conditions and locks.

`decisions` is the evaluator: pure functions over `rules`. `book` keeps the rules in memory, follows
every change of them and answers as `linarite.domain.access.Access`.
"""
