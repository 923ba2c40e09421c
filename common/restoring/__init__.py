"""Restoring images of any size, and files one by one."""
