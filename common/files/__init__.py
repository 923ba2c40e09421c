"""Files in and out: pictures, stacks with axes, arrays larger than memory."""
