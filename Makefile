# SPDX-License-Identifier: MIT
# The front door: every task is one word. The build itself is meson.build's.
#
#   make build      build/patina, optimised              make test    everything, sanitizers too
#   make run        build, start, retexture the sample   make lint    layers, style, clang-tidy
#   make run ONCE=1 the same, and stop after the job     make bench   speed on this machine
#   make install    to PREFIX (/usr/local)               make fuzz    SECONDS_EACH=10 per target
#   make deb        Debian packages in build-deb/        make test-deb they work on bare Debian
#   make test-image  packaging/Containerfile works in a container engine
#   make gallery    the pictures of docs/ anew           make samples samples/*.jpg anew (an hour)
#   make fuzz-api   service against description, with schemathesis from PyPI
#   make soak       half an hour of everything at once

# Make stops at the first line of what is wrong; Debian's Python, whatever else is in the PATH.
SHELL = /bin/sh
PYTHON = /usr/bin/python3
PREFIX = /usr/local
SYSCONFDIR = $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
SECONDS_EACH = 10
MAKEFLAGS += --no-print-directory

# lld links faster, where it is there. ccache is found by meson itself.
export CC_LD := $(if $(shell command -v ld.lld),lld)

.PHONY: build run test lint bench fuzz gallery samples fuzz-api soak install deb test-deb test-image clean

build:
	@tools/deps build
	@test -f build/build.ninja || meson setup build --prefix $(PREFIX) >meson.log 2>&1 || \
		{ cat meson.log; exit 1; }
	@ninja -C build --quiet programs

run:
	@tools/deps build run
	@$(MAKE) build
	@$(PYTHON) tools/run.py $(if $(ONCE),--once)

test:
	@tools/deps build run test
	@$(PYTHON) tests/run.py $(if $(ONLY),--only "$(ONLY)") $(if $(QUICK),--quick)

lint:
	@tools/deps build lint
	@$(PYTHON) tools/lint.py

bench: build
	@tools/deps test
	build/patina bench api
	build/patina bench look --peers samples/still-life.jpg
	build/patina bench structure samples/*.jpg $(wildcard ../shared/photos/*.jpg)
	build/patina bench curves samples/still-life.jpg
	$(PYTHON) bench/job.py

fuzz:
	@tools/deps build test
	@$(PYTHON) tests/fuzz/run.py --seconds $(SECONDS_EACH)

fuzz-api: build
	@tools/deps test
	@$(PYTHON) tools/fuzz_api.py

soak: build
	@tools/deps test
	@$(PYTHON) bench/soak.py

gallery: build
	@$(PYTHON) tools/gallery.py

samples: build
	@ninja -C build --quiet sample-picture
	@for scene in still-life bust street; do build/sample-picture $$scene samples/$$scene.jpg || exit 1; done

# DESTDIR is taken from the environment or the command line by meson itself.
install: build
	@meson configure build --prefix $(PREFIX) --sysconfdir $(SYSCONFDIR)
	@meson install -C build --no-rebuild --quiet >meson.log 2>&1 || { cat meson.log; exit 1; }

deb:
	@tools/deps build deb
	@$(PYTHON) packaging/deb.py

# Needs root and the network (apt): the Containerfile's steps, on bare Debian, then the packages.
test-deb:
	@tools/deps build deb test test-deb
	@$(PYTHON) -m pytest -q -p no:cacheprovider tests/deb/test_bare_debian.py

# As test-deb, by buildah. No image is pulled: it makes the one that the Containerfile begins from.
test-image:
	@tools/deps build test test-image
	@$(PYTHON) -m pytest -q -p no:cacheprovider tests/deb/test_image.py

clean:
	rm -rf meson.log build build-deb build-gcc build-asan build-tsan build-lint build-fuzz
