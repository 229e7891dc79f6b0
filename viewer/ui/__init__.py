"""Qt widgets: they show state and send intents. No arithmetic on voxels, no files, no writing of documents but through the host."""
