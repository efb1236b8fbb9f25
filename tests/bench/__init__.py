"""Measurements, as ratios in one run: `python -m tests.bench`.

What is counted is CPU time of the process that does the work: the endpoint is another process, and what else
the machine does disturbs it little. No number here fails anything: timings never decide a test.
"""
