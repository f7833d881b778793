"""The engine that runs GGUF models on llama.cpp, each in a process of its own."""
