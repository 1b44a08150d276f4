"""`python -m source_mixpanel`."""

from source_mixpanel.run import run

if __name__ == "__main__":
    run()
