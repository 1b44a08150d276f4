"""A local Mixpanel: a strict, steerable stand-in for the service, for tests and benchmarks.

`FIDELITY.md` beside this file says what is modelled, on which evidence, and what is a guess.
"""
