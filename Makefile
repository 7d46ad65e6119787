# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands of the project. Each sets up what it needs, once.

.DEFAULT_GOAL := help
.PHONY: help tree export run check lint check-series check-headers check-qtest check-sim check-hosts \
	check-mutants check-upstream check-bisect check-topics mail compare results bench clean

help:
	@echo 'make run             build all, boot each case on the emulated KVM hosts, print a table'
	@echo 'make check           all tests that fit CI; TESTS= names parts or suites: tests/check --list'
	@echo 'make tree            QEMU with the series, to work on: build/qemu'
	@echo 'make export          write patches/ and the copies from build/qemu'
	@echo 'make lint            shellcheck, licences, style of C, blanks, width and links of documents'
	@echo 'make check-series    does the series apply, keep the style and equal the copies?'
	@echo 'make check-headers   kernel headers: the update script, the ABI, the series with the newest'
	@echo 'make check-qtest     unit tests and qtests on this machine'
	@echo 'make check-sim       QEMU on a simulated /dev/kvm: contract, faults, qtests'
	@echo 'make check-mutants   does a test fail for each of the bugs in tests/mutants/?'
	@echo 'make check-hosts     all that runs on emulated KVM hosts: every CPU type on every host, migration'
	@echo 'make check-upstream  the same with QEMU'"'"'s migration-test, which takes long'
	@echo 'make check-bisect    does each step of the series build?'
	@echo 'make check-topics    does each topic build and pass with those that it is based on alone?'
	@echo 'make mail TOPIC=     the mails of a topic, with a cover letter; MAIL= has options such as -v2'
	@echo 'make compare         the accelerator choice before and after the series'
	@echo 'make results         write docs/results.md and its picture from the logs of run and compare'
	@echo 'make bench           what the question costs, what KVM brings to another CPU, and resets of BookE'
	@echo 'make clean           remove all that was made, but not the downloads'
	@echo
	@echo 'QEMU_SRC= uses a v10.2.x tree, checkout or tarball; HEADERS= puts newer kernel headers'
	@echo 'under the series (scripts/qemu-tree --help); BUILD= and JOBS= as they say.'
	@echo 'See README.md.'

tree:
	@scripts/qemu-tree

lint:
	@scripts/lint

export:
	@scripts/export

run:
	@tests/run/table.sh

check:
	@tests/check $(TESTS)

check-series:
	@scripts/check-series

check-headers check-qtest check-sim check-hosts check-upstream:
	@tests/check $(@:check-%=%)

check-mutants:
	@tests/mutants/mutants.sh

check-bisect:
	@scripts/check-bisect

check-topics:
	@scripts/check-topics

mail:
	@scripts/mail $(TOPIC) $(MAIL)

compare:
	@tests/run/compare.sh

results:
	@scripts/results

bench:
	@tests/bench/accel.sh
	@tests/bench/models.sh
	@tests/bench/booke.sh

clean:
	@scripts/clean
