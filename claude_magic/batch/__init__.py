"""Many requests at once: `claude.map`, `--compare`, grading, executors."""
