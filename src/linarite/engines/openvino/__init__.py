"""The openvino engine: GGUF models on OpenVINO GenAI, for servers without a GPU."""
