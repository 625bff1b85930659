# The front door. What each word does stands beside it; the work is in meson.build and tools/.
BUILD ?= build
MESON_ARGS ?=
SECONDS_PER_HARNESS ?= 30

.PHONY: demo check deps build bench fuzz lint san install clean
demo: deps build        ## install what is missing, build, do the main job and show it
	$(BUILD)/antin demo --dir demo
check: deps-check build ## every test; ends with one line: N passed, N failed, N skipped
	python3 tools/check.py --build $(BUILD)
deps:                   ## Debian packages that building and running need
	tools/bootstrap.sh build run
build: $(BUILD)/build.ninja ## the program at build/antin
	ninja -C $(BUILD)
bench: deps-bench build     ## ratios beside the raw key, hash or peer of the same run
	python3 bench/bench.py --build $(BUILD)
fuzz: deps-fuzz         ## each harness for SECONDS_PER_HARNESS seconds (clang, libFuzzer)
	python3 tools/fuzz.py --seconds $(SECONDS_PER_HARNESS)
lint: deps-lint build   ## floors, homes of libraries, function sizes, cppcheck
	python3 tools/lint.py --build $(BUILD)
san: deps               ## the whole suite under AddressSanitizer and UndefinedBehaviorSanitizer
	python3 tools/check.py --sanitize --build build-san
install: build          ## to the prefix Meson was set up with
	meson install -C $(BUILD)
clean:
	rm -rf $(BUILD) build-san build-clang build-fuzz demo

$(BUILD)/build.ninja: meson.build
	meson setup $(BUILD) $(MESON_ARGS)
.PHONY: deps-check deps-fuzz deps-lint deps-bench
deps-check:
	tools/bootstrap.sh build run check lint fuzz
deps-fuzz:
	tools/bootstrap.sh build run fuzz
deps-bench:
	tools/bootstrap.sh build run bench
deps-lint:
	tools/bootstrap.sh build lint
