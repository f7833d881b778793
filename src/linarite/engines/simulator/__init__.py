"""The `simulator` engine: answers without a model, at a chosen pace, with chosen faults.

It stands in for a model where a model is too heavy or too well-behaved: in continuous
integration, on a laptop, in tests of retries and time-outs. `docs/engines/simulator.md` says what
it promises; `options.py` is what can be set.
"""
