"""The actions of `claude.workbench()`."""
