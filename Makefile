# What a person types. CI runs `make check`; the README names `make run` and
# `make test`.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
GOLANGCI := v2.15.0
ASSETS := $(shell find internal/web/assets -type f 2>/dev/null) package.json package-lock.json tsconfig.json

PREFIX ?= /usr/local

.PHONY: build install run test check lint race assets clean bench

build: assets ## leave the program at bin/aspis
	go build -trimpath -o bin/aspis ./cmd/aspis

install: build ## the program, its manuals and the shells' completion, below PREFIX
	install -D bin/aspis $(DESTDIR)$(PREFIX)/bin/aspis
	LC_ALL=C.UTF-8 bin/aspis man --dir $(DESTDIR)$(PREFIX)/share/man/man1
	LC_ALL=zh_TW.UTF-8 bin/aspis man --dir $(DESTDIR)$(PREFIX)/share/man/zh_TW/man1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	bin/aspis completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/aspis
	bin/aspis completion zsh >$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_aspis
	bin/aspis completion fish >$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/aspis.fish

assets: internal/web/static/dist/.built

internal/web/static/dist/.built: $(ASSETS)
	npm ci --no-progress
	npm run --silent build
	touch $@

run: build ## a demonstration sector on http://127.0.0.1:8080
	bin/aspis demo --data .run/demo --listen 127.0.0.1:8080

test: assets ## install what the tests need, then run all quick tests
	scripts/prepare
	scripts/with-postgres go test -timeout 9m ./...

check: assets ## everything CI checks
	scripts/check

lint:
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) run ./...
	npm run --silent check

race: assets ## all packages but the program as a whole, on generated input
	env -u ASPIS_DATA -u ASPIS_LONG go test -race -short -timeout 20m $$(go list ./... | grep -v /cmd/)

bench: build ## the loop's figures on this machine
	bin/aspis bench loop

clean:
	rm -rf bin .run node_modules
	find internal/web/static/dist -mindepth 1 ! -name .gitkeep -delete
