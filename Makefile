# `make help` lists the targets. Each installs what it needs, on Debian 12 or 13, as root or with sudo.
SHELL := /bin/bash
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
.DEFAULT_GOAL := help
.PHONY: help setup pulumi pebble demo demo-down demo-cloud demo-aws smoke check test faults soak bench lock golden try-vm clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## programs and the Python environment: nothing to do the second time
	@scripts/setup

demo: setup ## a real Django site with PostgreSQL on a sandbox, by git push
	@scripts/demo up

demo-down: setup ## the demo and its sandbox are gone again
	@scripts/demo down

demo-cloud: setup pulumi ## the life of a space in AWS, played on this machine: no account, and nothing left behind
	@scripts/demo cloud

demo-aws: setup pulumi ## the demo's site on a space in AWS: hosts, database and load balancer are real, AWS is played here
	@scripts/demo aws

smoke: setup pulumi ## what scripts/aws-smoke does in an account of AWS, in the emulator: minutes
	@scripts/aws-smoke --emulated run

pebble: setup ## the ACME server that the tests of certificates need: seconds; part of test
	@scripts/pebble-command

pulumi: ## the pulumi command that the tests of the cloud need: some minutes the first time; part of test
	@scripts/pulumi-command

check: setup ## format, lint, types, architecture and unit tests: seconds
	@scripts/check

test: setup ## check, then the tests with real programs and on systemd hosts: minutes
	@scripts/test

OF_FAULTS := $(addprefix tests/hosts/test_,faults*.py rented_bare.py left_out.py promote.py load.py watch.py crashes.py repair.py)

faults: setup ## kill commands, hosts, routers and agents while users ask: minutes; writes docs/reliability.md
	@$(BIN)/pytest -m "(hosts or edge) and not soak" --record docs/reliability.json \
		$(OF_FAULTS) tests/infra/test_cloud_faults.py tests/cli/test_cloud_refusals.py; ended=$$?; \
		$(BIN)/pytest -m faults --record docs/reliability.json tests/box || ended=$$?; \
		$(BIN)/pytest -q --update-golden tests/test_reliability.py && exit $$ended

soak: setup ## 200 deploys on three hosts, something going wrong in each, under load: an hour
	@DEPLOYER_TEST_HOSTS=3 DEPLOYER_SOAK=200 $(BIN)/pytest -s -m soak --record docs/reliability.json; ended=$$?; \
		$(BIN)/pytest -q --update-golden tests/test_reliability.py && exit $$ended

bench: setup ## deploys beside rsync and systemctl restart: a quarter of an hour; writes docs/performance.md
	@scripts/bench

golden: setup ## rewrite the expected texts in tests/golden; read the difference
	@$(BIN)/pytest -m "not edge and not hosts" --update-golden

lock: setup ## renew requirements.lock
	@$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" pyproject.toml --group dev -o requirements.lock
	@! grep -n '://' requirements.lock

try-vm: setup ## the sandbox on a QEMU machine with systemd and cgroup v2; not part of test
	@scripts/vm-try

clean: ## what the targets above made in this folder, the caches of platform images apart
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
