"""Views: what shows an image and takes gestures on it."""
