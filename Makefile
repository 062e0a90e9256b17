# The steps themselves are in scripts/, which say what they do. `make help` lists the targets.
SHELL := /bin/bash
export GOTOOLCHAIN := local

# Packages whose goroutines share memory are tested under the race detector; not the whole demos, which are slow there.
SLOW := Washington|Haining
RACE := ./internal/app/... ./internal/auth/... ./internal/blob/... ./internal/contact/... ./internal/cube/... ./internal/feed/... ./internal/keyring/... ./internal/message/... ./internal/photo/... ./internal/report/... ./tiles/...

.PHONY: help run build test test-go test-race test-page test-browser check generate bench soak test-data setup clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done
	@echo
	@echo '  ARGS=FLAGS             more flags of serve for make run, as --addr 127.0.0.1:9080'
	@echo '  GRIDGOV_DATABASE=URL   use this server and not a private one'
	@echo '  PG_BIN=DIR             the folder of initdb and postgres'
	@echo '  CHROME=FILE            the browser of the tests'

run: build ## set up, build and serve the map of Haining on http://127.0.0.1:8080
	bin/gridgov serve --demo haining $(ARGS)

build: setup ## set up and build bin/gridgov with the page in it
	scripts/build.sh

setup: ## install what is missing to run
	scripts/setup.sh run

test: ## set up and run all tests: Go on real PostGIS, the page's, the browser's
	scripts/setup.sh test
	scripts/build.sh
	@$(MAKE) --no-print-directory test-go test-race test-page test-browser

test-go: ## Go tests, but for those that test-race runs
	go test $$(go list ./... | grep -vxF -f <(go list $(RACE)))
	go test -run "$(SLOW)" $(RACE)

test-race: ## Go tests of what runs concurrently, under the race detector
	CGO_ENABLED=1 go test -race -skip "$(SLOW)" $(RACE)

test-page: ## the page's unit tests alone
	cd frontend && npm run --silent test

test-browser: ## browser tests alone; they run bin/gridgov
	cd frontend && npm run --silent e2e

check: ## set up and check: gofmt, vet, golangci-lint, types, generated code
	scripts/setup.sh run
	scripts/check.sh

generate: ## make generated code anew
	go generate ./...
	cd frontend && npm run --silent generate

bench: build ## measure speed beside rivals, on an idle machine
	@for what in placement tiles cube intake feed queue search hotspot; do bin/gridgov bench $$what || exit 1; done
	scripts/setup.sh test
	cd frontend && npm run --silent bench

soak: build ## the long tests at their full counts
	GRIDGOV_SOAK=1 go test -timeout 6h ./...
	cd frontend && GRIDGOV_SOAK=1 npm run --silent test && GRIDGOV_SOAK=1 npm run --silent e2e -- field

test-data: ## tests on data outside the project (GRIDGOV_TESTDATA or ../shared/data)
	scripts/setup.sh run
	scripts/test-data.sh

clean: ## remove what was built, not the data
	rm -rf bin frontend/node_modules frontend/dist/assets frontend/dist/index.html
