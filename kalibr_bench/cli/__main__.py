"""`python -m kalibr_bench.cli`."""

from kalibr_bench.cli import app

if __name__ == "__main__":
    app()
