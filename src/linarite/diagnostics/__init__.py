"""Diagnostic settings at work: records of accounts go to the sinks that settings declare.

The durable logs are the buffer: a cursor for each setting, sink and log says how far the sink has
taken them, and is moved once it has. So nothing is lost while a sink is down or a server is
killed, but what is removed meanwhile past its time; what was not confirmed comes again, with the
same record id.
"""
