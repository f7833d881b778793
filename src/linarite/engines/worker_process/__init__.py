"""The process an engine on this machine runs in: what every such engine needs of it.

`worker_engine` is the engine's life around it, `process` the gateway's side: started, heard,
watched, ended. `life` is the process's own side: ordered about, tied to its parent, bounded,
reporting. `options` has what all of them can be told. Imports no engine.
"""
