"""How ARM's verbs behave, the same for every resource type."""
