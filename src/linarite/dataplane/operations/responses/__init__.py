"""…/responses: items go in, and what a model makes of them comes out, kept if wanted."""
