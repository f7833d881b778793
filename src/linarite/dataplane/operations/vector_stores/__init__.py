"""…/vector_stores: stores of files that are found by what they say, and the search in them."""
