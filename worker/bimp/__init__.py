"""The partner Bimp, where it is asked and not only heard."""
