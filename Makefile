# The commands of the house. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-full lint bench compose-secrets

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what the build, PostgreSQL and the tests need, or say what to install
	@scripts/setup.sh

demo: ## Play the demo world and keep serving it
	@scripts/setup.sh run
	cargo run --release --locked -- demo

test: setup ## Run all tests, on a real PostgreSQL and a real S3 endpoint
	cargo test --workspace --locked

test-full: setup ## The same with the long worlds played to their end, not for a week
	WAVETANK_TEST_FULL=1 cargo test --workspace --locked

lint: ## Check formatting, lints, licences and advisories
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null 2>&1; then \
		echo "cargo deny check"; \
		cargo deny --locked check; \
	else \
		echo "SKIPPED: licences and advisories are not checked, because cargo-deny is not" \
			"installed (cargo install --locked cargo-deny)"; \
	fi

bench: ## Measure, in an optimized build (PARTS="kernel documents whole live objects" for some of it; PARTS=api for the API)
	@scripts/setup.sh run
	cargo bench --locked --package wavetank --bench wavetank -- $(PARTS)

compose-secrets: ## Make the secrets of docker-compose.yml, in deploy/secrets
	@deploy/secrets.sh
