"""The engine's own process. Here, and only here, model files, templates and schemas are parsed."""
