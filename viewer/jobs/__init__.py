"""Work in other processes: a pool that can be cancelled, may crash, and never stops the window. Knows nothing of images."""

from viewer.jobs.pool import Job, Limits, Pool, Progress, Writable

__all__ = ["Job", "Limits", "Pool", "Progress", "Writable"]
