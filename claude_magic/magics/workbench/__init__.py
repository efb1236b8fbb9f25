"""What stands behind `claude.workbench()`."""
