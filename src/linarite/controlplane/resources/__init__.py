"""One folder for each resource type: pure rules, without HTTP and without SQL."""
