# The commands of the house. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-full lint clippy check-format check-dependencies bench compose-secrets

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what the build, PostgreSQL and the tests need, or say what to install
	@scripts/setup.sh

demo: ## Play the demo world and keep serving it
	@scripts/setup.sh run
	cargo run --profile demo --locked -- demo

# cargo-nextest runs the tests of all binaries in one pool; cargo test, one binary after the other.
test: setup ## Run all tests, on a real PostgreSQL and a real S3 endpoint
	@if command -v cargo-nextest >/dev/null 2>&1; then \
		set -x; cargo nextest run --workspace --locked --no-fail-fast; \
	else \
		set -x; cargo test --workspace --locked --no-fail-fast; \
	fi

test-full: export WAVETANK_TEST_FULL = 1
test-full: test ## The same with the long worlds played to their end, not for a week

lint: check-format clippy check-dependencies ## Check formatting, lints, licences, advisories and unused dependencies

check-format:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings

check-dependencies:
	@if command -v cargo-deny >/dev/null 2>&1; then \
		echo "cargo deny check"; \
		cargo deny --locked check; \
	else \
		echo "SKIPPED: licences and advisories are not checked, because cargo-deny is not" \
			"installed (cargo install --locked cargo-deny)"; \
	fi
	@if command -v cargo-machete >/dev/null 2>&1; then \
		echo "cargo machete"; \
		cargo machete; \
	else \
		echo "SKIPPED: unused dependencies are not looked for, because cargo-machete is not" \
			"installed (cargo install --locked cargo-machete)"; \
	fi

bench: ## Measure, in an optimized build (PARTS="kernel study documents whole live objects" for some of it; PARTS=api for the API)
	@scripts/setup.sh run
	cargo bench --locked --package wavetank --bench wavetank -- $(PARTS)

compose-secrets: ## Make the secrets of docker-compose.yml, in deploy/secrets
	@deploy/secrets.sh
