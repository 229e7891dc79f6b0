"""The built-in plugins; each uses ``viewer.api`` alone."""
