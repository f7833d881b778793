"""What is taken of each quota."""
