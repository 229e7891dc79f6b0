"""Speed, each figure beside its rival or limit in the same run. ``python -m benchmarks`` prints them as one table."""
