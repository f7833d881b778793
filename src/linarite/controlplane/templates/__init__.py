"""ARM templates: from a document and its parameters to resources in the order to write them.

Everything here is a function over values: no HTTP, no store, no clock that was not handed in.

    language/      text of an expression → tree
    functions/     the template functions, by the pages of Azure's reference
    evaluation.py  tree → value
    document.py    JSON → Template
    parameters.py  what was given → the values that expressions see
    expansion.py   declarations → resources: copies, conditions, children, ids
    plan.py        resources → an order, bodies and outputs

Source: Azure Resource Manager, "Understand the structure and syntax of ARM templates".
"""

from __future__ import annotations
