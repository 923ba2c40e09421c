"""Reading and writing files: pictures, stacks with axes, arrays larger than memory."""
