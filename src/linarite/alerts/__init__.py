"""Metric alert rules at work: evaluated by the minute, fired and resolved once, told by webhooks.

What has fired is on disk before anybody is told of it, with what is to be told: a server that dies
in between tells it after its restart, and tells it once.
"""
