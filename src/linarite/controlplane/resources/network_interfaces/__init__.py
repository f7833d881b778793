"""Microsoft.Network/networkInterfaces, as far as private endpoints have them."""
