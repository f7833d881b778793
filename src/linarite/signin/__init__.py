"""The sign-in plane: for people without an identity provider, what Microsoft Entra ID does."""
