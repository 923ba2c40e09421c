"""The fit loop, schedules, optimisers, run folders, several processes."""
