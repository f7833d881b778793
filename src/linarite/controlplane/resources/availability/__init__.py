"""Whether a name or a SKU can be had."""
