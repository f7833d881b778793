"""`make bench`: what Linarite costs and gives, measured beside others in one interleaved run."""
