"""…/batches: files of requests, answered in the background."""
