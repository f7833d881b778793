"""The process an engine on this machine runs in: what every such engine needs of it.

`process` is the gateway's side: started, heard, watched, ended. `life` is the process's own side:
tied to its parent, bounded, reporting. Imports no engine.
"""
