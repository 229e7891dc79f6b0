"""The living middle floor, without Qt: what the window, the command line and a notebook share."""
