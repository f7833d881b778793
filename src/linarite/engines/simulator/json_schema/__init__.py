"""Makes up values that are valid under a JSON schema (2020-12, and draft 7 where they agree).

Left out: `patternProperties`, `unevaluated…`, references to other documents, and patterns with
look-around or back references. A schema that needs one of them, or that nothing satisfies, is
refused with words that say so.
"""
