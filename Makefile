# `make demo` and `make test` are all that a fresh checkout needs; `make bench` measures what recording costs.

export G_DEBUG = fatal_warnings
# Every test program gets its own plugin registry.
TEST_RUNNER = CARGO_TARGET_$(shell rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')_RUNNER=$(CURDIR)/scripts/run-test

.PHONY: setup build demo test bench lint fmt

setup:
	@scripts/setup

build: setup
	cargo build --locked --workspace

demo: build
	@scripts/demo

test: build
	$(TEST_RUNNER) cargo test --locked --workspace --no-fail-fast

# QUICK=1 measures less, and leaves README as it is. Warnings of the stock graphs are no end of a measurement.
bench: G_DEBUG =
bench: setup
	cargo bench --locked --bench live -- $(if $(QUICK),quick)

lint:
	@scripts/setup lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --workspace
	cargo deny --offline check bans licenses sources

fmt:
	cargo fmt --all
