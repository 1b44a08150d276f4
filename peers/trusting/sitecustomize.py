"""Lets `certifi` name the bundle that `REQUESTS_CA_BUNDLE` names.

Airbyte's CDK sends prepared requests, for which `requests` looks at no environment variable and
trusts what `certifi` names. In a folder of its own, put on `PYTHONPATH` for that client alone.
"""

import os

import certifi

if "REQUESTS_CA_BUNDLE" in os.environ:
    certifi.where = certifi.core.where = lambda: os.environ["REQUESTS_CA_BUNDLE"]
