"""Models on disk: the catalogue, the store and the sources they come from."""
