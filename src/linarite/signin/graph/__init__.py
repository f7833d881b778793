"""Microsoft Graph v1.0, as much of it as `az ad` and role assignments need."""
