"""The filters there are."""
