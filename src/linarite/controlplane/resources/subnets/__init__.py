"""Microsoft.Network/virtualNetworks/subnets."""
