# `make demo` and `make test` are all that a fresh checkout needs.

export G_DEBUG = fatal_warnings
# Every test program gets its own plugin registry.
TEST_RUNNER = CARGO_TARGET_$(shell rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')_RUNNER=$(CURDIR)/scripts/run-test

.PHONY: setup build demo test lint fmt

setup:
	@scripts/setup

build: setup
	cargo build --locked --workspace

demo: build
	@scripts/demo

test: build
	$(TEST_RUNNER) cargo test --locked --workspace --no-fail-fast

lint:
	@scripts/setup lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --workspace
	cargo deny --offline check bans licenses sources

fmt:
	cargo fmt --all
