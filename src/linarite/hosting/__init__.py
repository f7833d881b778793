"""Running models: the store they lie in, the instances that serve them, the queue in front."""
