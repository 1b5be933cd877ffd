"""`debug`: find the first bad write of a program, inside any transformations."""
