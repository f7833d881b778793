"""What is left of each quota."""
