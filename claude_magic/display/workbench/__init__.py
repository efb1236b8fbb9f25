"""The workbench: a panel of widgets to write a prompt in, run it, and copy it as a cell or a program."""
