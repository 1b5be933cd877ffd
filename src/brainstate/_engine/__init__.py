"""The engine: frames, guards and programs, on which every transformation is a thin layer."""
