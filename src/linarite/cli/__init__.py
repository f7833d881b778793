"""The command line: one file a command. It is handed what each command does, and wires nothing."""
