"""The few pages that people see while they sign in."""
