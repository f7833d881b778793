"""The `upstream` engine: another OpenAI-compatible or Azure OpenAI endpoint answers.

`engine.py` is the port; `options.py` what it can be told; `endpoint.py` where requests go and with
which headers; `calls.py` sends them, with retries and the circuit breaker; `chat.py`,
`completion.py` and `embedding.py` translate asks and answers; `refusals.py` turns what the
upstream refuses into our errors.
"""
