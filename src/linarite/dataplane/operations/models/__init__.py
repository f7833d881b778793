"""GET …/models and GET …/models/{model}: what the account's deployments are made of."""
