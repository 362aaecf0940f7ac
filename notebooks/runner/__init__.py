"""The parts of ``notebooks/run.py``: what a page depends on, the pages on disk, the process that runs one."""
