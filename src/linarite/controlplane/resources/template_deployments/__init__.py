"""Microsoft.Resources/deployments: templates are checked, planned and carried out."""
