"""Painting without widgets: the picture, what stands over it, and pictures to take out. QtGui only."""
