"""The benchmark that anyone can repeat: ``python -m bench``.

It starts gateways one after another on one core and the load on the others, and compares the CPU
time that each spends on a request. ``docs/performance.md`` says what is measured and how.
"""
