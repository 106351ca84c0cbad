# Every target runs in the current environment: pip install -e ".[dev]" first.
.PHONY: check lint types imports test bench docs

check: lint types imports test

lint:
	ruff format --check .
	ruff check .

types:
	mypy

imports:
	lint-imports

test:
	pytest

bench:
	kalibr bench resilience
	kalibr bench overhead

docs:
	mkdocs build --strict
