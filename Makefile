# `make demo` and `make test` are all that a fresh checkout needs; `make bench` measures what recording costs.

export G_DEBUG = fatal_warnings
# Every test program gets its own plugin registry.
TEST_RUNNER = CARGO_TARGET_$(shell rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')_RUNNER=$(CURDIR)/scripts/run-test

.PHONY: setup build interop demo test bench fuzz lint fmt

setup:
	@scripts/setup

build: setup
	cargo build --locked --workspace

demo: build
	@scripts/interop $(CURDIR)/target/interop demo
	@scripts/demo

# What tests control recordings by: SDKs, and schemathesis.
interop: setup
	@scripts/interop $(CURDIR)/target/interop

test: build interop
	$(TEST_RUNNER) cargo test --locked --workspace --no-fail-fast

# Writes docs/performance.md; QUICK=1 measures less, and writes nothing. Warnings of the stock graphs are no end of a
# measurement.
bench: G_DEBUG =
bench: setup
	cargo bench --locked --bench live -- $(if $(QUICK),quick)
	cargo bench --locked --bench service -- $(if $(QUICK),quick)

lint:
	@scripts/setup lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --workspace
	cargo deny --offline check bans licenses sources

fmt:
	cargo fmt --all

# make fuzz TARGET=track SECONDS=600. RUSTC_BOOTSTRAP: what the fuzzer needs of rustc is there in stable, behind a flag.
SECONDS = 600
fuzz: setup
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked --version 0.13.2 cargo-fuzz
	RUSTC_BOOTSTRAP=1 cargo fuzz run -s none $(TARGET) -- -max_total_time=$(SECONDS) -max_len=4096 -timeout=20
