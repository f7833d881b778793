"""Operations whose turns come over a WebSocket, each by the path of a request of its own.

`door.py` takes offers, `session.py` is one socket, `turn.py` a turn of it as the data plane's
`Exchange`; what is said is the matter of an operation (`operations/responses/socket.py`).
"""
