"""WebSockets (RFC 6455) on connections of our own server protocol.

What is said over them is their users' matter: `Socket` takes and gives whole messages, bounded in
size, in number and in time. Frames are the matter of the library `websockets`, whose sans-I/O part
is loaded with the first socket.
"""
