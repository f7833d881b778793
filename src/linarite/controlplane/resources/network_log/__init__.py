"""What the network's rules have refused or let pass."""
