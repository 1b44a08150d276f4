"""What every test suite here loads."""

pytest_plugins = ["unit_tests.judging"]
