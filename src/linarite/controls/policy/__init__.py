"""Azure Policy: a rule language over resources, and what a rule's being met comes to.

Pure: resources, rules and the template language come in, decisions go out. Source:
learn.microsoft.com, "Azure Policy definition structure" and "Azure Policy definitions effect
basics".
"""

from __future__ import annotations
