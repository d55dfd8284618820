"""The typed sections of ``params.yaml`` and ``scales/*.yaml``, one module for each stage."""
