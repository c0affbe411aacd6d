# SPDX-License-Identifier: GPL-2.0-or-later
# make demo: two gateways carrying OSPF.  make check: all tests.  V=1 shows commands, SANITIZE=1 builds with ASan and UBSan.
VERSION   := 0.1.0
PREFIX    ?= /usr/local
SYSCONF   ?= /etc
UNITDIR   ?= $(PREFIX)/lib/systemd/system
CC        ?= gcc
B         := build$(if $(SANITIZE),/san)
Q         := $(if $(V),,@)
,         := ,
LIBS      := libmnl libevent_core libevent_extra libsodium libfyaml jansson smartcols libnftables libseccomp libsystemd
# Debian ships libvici without header or .pc file, in strongSwan's own folder (ike/libvici.h says more).
VICI      := -L/usr/lib/ipsec -l:libvici.so.0 -Wl,-rpath,/usr/lib/ipsec
CFLAGS    ?= -O2 -g
WARN      := -Wall -Wextra -Werror -Wformat=2 -Wshadow=local
ifneq ($(findstring clang,$(CC)),)
WARN      := -Wall -Wextra -Werror -Wformat=2
endif
HARDEN    := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
SAN       := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DGWD_VERSION='"$(VERSION)"' -I. $(WARN) $(CFLAGS) \
	     $(if $(SANITIZE),$(SAN),$(HARDEN)) $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
LDLIBS     = $(shell pkg-config --libs $(LIBS)) -lpthread
LDFLAGS   += $(if $(SANITIZE),$(SAN),-pie -Wl,-z,relro,-z,now)

LIB_SRC   := $(wildcard lib/*.c)
CONF_SRC  := $(wildcard conf/*.c)
DRV_SRC   := $(wildcard gre/*.c xfrm/*.c guard/*.c ike/*.c)
DAEMON_SRC:= $(filter-out daemon/main.c,$(wildcard daemon/*.c))
CTL_SRC   := $(wildcard ctl/*.c)
COMMON    := $(LIB_SRC) $(CONF_SRC) $(DRV_SRC) $(DAEMON_SRC)
OBJ        = $(patsubst %.c,$(B)/%.o,$(1))
UNIT      := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
TOOLS     := $(patsubst %.c,$(B)/tests/%,$(notdir $(wildcard tests/lab/*.c tests/bench/*.c))) $(addprefix $(B)/tests/,inject.so syscalls chaoswatch gwd-unprobed)
MAN       := $(patsubst doc/%.scd,$(B)/doc/%,$(wildcard doc/*.scd))

.PHONY: all check demo demo-shell lab lab-tools syscalls fuzz chaos bench heal stall install uninstall clean setup unit golden style
.DELETE_ON_ERROR:
all: $(B)/gwd $(B)/gwctl $(B)/gwctl.bash $(MAN)

$(B)/gwd: $(call OBJ,$(COMMON) daemon/main.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(VICI) $(LDLIBS)
$(B)/gwctl: $(call OBJ,$(LIB_SRC) $(CONF_SRC) $(CTL_SRC) xfrm/overhead.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/gwctl.bash: $(B)/gwctl
	$(Q)$(B)/gwctl completion bash >$@
$(B)/doc/%: doc/%.scd
	@mkdir -p $(@D)
	@echo "  MAN     $@"
	$(Q)scdoc <$< >$@
$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/libgwd.a: $(call OBJ,$(COMMON))
	$(Q)rm -f $@ && $(AR) rcs $@ $^
# calls of one file to another that a test takes to itself
WRAP_alloc_verbs = $(WRAP_alloc_gateway)
WRAP_reconcile = $(WRAP_alloc_gateway)
WRAP_alloc_gateway := nl_query nl_request nl_batch_send gre_mpls_set guard_read guard_run guard_events_read \
	$(addprefix guard_build_,table add delete exempt unexempt remove) \
	$(addprefix ike_session_,new free fd watch_fd state deadline connect submit dispatch)
WRAP_sas := time xfrm_sa_set_add_time xfrm_sa_dump
WRAP_loading := gateway_now charon_submit charon_connected reconcile_judge reconcile_mark
WRAP_peer := gateway_now charon_submit charon_connected sas_have sas_move reconcile_judge
$(B)/tests/test_%: tests/unit/test_%.c $(B)/libgwd.a
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS) $(addprefix -Wl$(,)--wrap=,$(WRAP_$*)) -o $@ $(filter-out %.h,$^) -lcmocka $(VICI) $(LDLIBS)
$(B)/tests/test_alloc_pure: $(call OBJ,$(filter ctl/render%.c ctl/output.c,$(CTL_SRC)))
$(B)/tests/%.so: tests/lab/preload/%.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -shared -MMD -MP -o $@ $<
$(B)/tests/syscalls: $(wildcard tests/lab/syscalls/*.[ch]) tests/lab/inject.h tests/lab/ask.h $(B)/libgwd.a
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.a,$^) $(VICI) $(LDLIBS)
$(B)/tests/%: tests/lab/%.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< -ljansson
$(B)/tests/%: tests/bench/%.c $(B)/libgwd.a
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(B)/libgwd.a $(VICI) $(LDLIBS)
$(B)/tests/gwd-unprobed: $(call OBJ,$(filter-out daemon/probe.c,$(COMMON)) daemon/main.c tests/bench/unprobed/probe.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(VICI) $(LDLIBS)
$(B)/tests/chaoswatch: $(call OBJ,$(wildcard tests/chaos/*.c))
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
-include $(shell find $(B) -path $(B)/lab -prune -o -name '*.d' -print 2>/dev/null)

# ---- tests; each command of these installs what it needs by itself (tests/setup)
setup:
	@tests/setup
unit: setup
	@tests/check unit
golden: setup all
	@tests/harness golden tests/golden/*.sh
style: setup
	@tests/style
unit-programs: $(UNIT)
check: setup
	@tests/check
demo: setup
	@$(MAKE) --no-print-directory -j2 all $(B)/tests/udpflow $(B)/tests/pick
	@tests/demo/demo
demo-shell: setup
	@$(MAKE) --no-print-directory -j2 all $(B)/tests/udpflow $(B)/tests/pick
	@tests/demo/demo --shell
lab-tools: $(TOOLS)
lab: setup
	@$(MAKE) --no-print-directory -j2 all $(TOOLS)
	@tests/lab/previous
	@tests/lab/boot -t 1800 tests/lab/run $(T)
# every system call with every error, hours under emulation; LAB_SWEEPS names some of tests/lab/syscalls/main.c
syscalls: setup
	@$(MAKE) --no-print-directory -j2 all $(TOOLS)
	@LAB_EVERY=1 LAB_TEST_SECONDS=86400 tests/lab/boot -t 86400 tests/lab/run 91
bench: setup
	@$(MAKE) --no-print-directory -j2 all $(TOOLS)
	@tests/lab/boot -t 3600 tests/bench/run
chaos: setup
	@$(MAKE) --no-print-directory -j2 all $(TOOLS)
	@LAB_CHAOS_SECONDS=$(or $(SECONDS),600) LAB_CHAOS_FAULTS=$(FAULTS) LAB_CHAOS_SEED=$(SEED) LAB_CHAOS_ONLY="$(ONLY)" \
		tests/lab/boot -t $$(($(or $(SECONDS),600) + 1200)) tests/chaos/run
# on the running kernel, as root
stall: setup
	@$(MAKE) --no-print-directory -j2 all $(TOOLS)
	@tests/bench/stall
heal: setup
	@$(MAKE) --no-print-directory -j2 all $(TOOLS)
	@tests/lab/boot -t 3600 tests/bench/heal-table
# Fuzzing: gwd's objects once as libFuzzer wants them; COVERAGE=1 builds them to be measured by llvm-cov instead of to be fast.
# tests/fuzz/NAME.wrap names the functions of gwd or of the system in whose place NAME's own ones are called (ld --wrap).
F         := build/fuzz$(if $(COVERAGE),-coverage)
FUZZ      := $(patsubst tests/fuzz/%.c,$(F)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJ  := $(patsubst %.c,$(F)/obj/%.o,$(COMMON))
FUZZ_CC   := clang -std=gnu11 -D_GNU_SOURCE -DGWD_VERSION='"$(VERSION)"' -I. -Wall -Wextra -Werror -g -O1 -MMD -MP \
	     -fsanitize=address,undefined -fno-sanitize-recover=undefined $(shell pkg-config --cflags $(LIBS) 2>/dev/null) \
	     $(if $(COVERAGE),-fprofile-instr-generate -fcoverage-mapping)
SECONDS_EACH ?= 3600
fuzz: setup $(FUZZ)
	@tests/fuzz/run $(SECONDS_EACH) $(FUZZ)
$(F)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link -c -o $@ $<
$(F)/libgwd.a: $(FUZZ_OBJ)
	@echo "  FUZZ    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(F)/fuzz_%: tests/fuzz/fuzz_%.c $(F)/libgwd.a $(wildcard tests/fuzz/*.wrap)
	@mkdir -p $(@D)
	@echo "  FUZZ    $@"
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer $(if $(wildcard tests/fuzz/$*.wrap),-Wl$(,)@tests/fuzz/$*.wrap) \
		-o $@ $< $(F)/libgwd.a $(VICI) $(LDLIBS)
# ---- install; edited files stay: a strongswan.conf that differs gets a .new beside it, and is left by uninstall
D_CONF    := $(DESTDIR)$(SYSCONF)/gwd
D_SHARE   := $(DESTDIR)$(PREFIX)/share
D_UNIT    := $(DESTDIR)$(UNITDIR)
D_USERS   := $(DESTDIR)$(PREFIX)/lib/sysusers.d
D_TMP     := $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
EXAMPLES  := $(wildcard dist/examples/*.yaml)
install: all
	install -D -m 755 $(B)/gwd $(DESTDIR)$(PREFIX)/sbin/gwd
	install -D -m 755 $(B)/gwctl $(DESTDIR)$(PREFIX)/bin/gwctl
	for m in $(notdir $(MAN)); do install -D -m 644 $(B)/doc/$$m $(D_SHARE)/man/man$${m##*.}/$$m || exit; done
	for u in gwd gwd-charon; do sed 's,@PREFIX@,$(PREFIX),g; s,@SYSCONF@,$(SYSCONF),g' dist/$$u.service >$(B)/$$u.service && \
		install -D -m 644 $(B)/$$u.service $(D_UNIT)/$$u.service || exit; done
	install -D -m 644 dist/gwd.sysusers $(D_USERS)/gwd.conf
	install -D -m 644 dist/gwd.tmpfiles $(D_TMP)/gwd.conf
	install -D -m 644 $(B)/gwctl.bash $(D_SHARE)/bash-completion/completions/gwctl
	install -D -m 644 dist/gwd.schema.json $(D_SHARE)/gwd/gwd.schema.json
	install -D -m 644 -t $(D_SHARE)/doc/gwd/examples $(EXAMPLES)
	install -d -m 755 $(D_CONF)
	if [ ! -e $(D_CONF)/strongswan.conf ] || cmp -s dist/strongswan.conf $(D_CONF)/strongswan.conf; then \
		rm -f $(D_CONF)/strongswan.conf.new && install -m 644 dist/strongswan.conf $(D_CONF)/strongswan.conf; else \
		echo "$(D_CONF)/strongswan.conf differs and stays; the new one is beside it as .new" && \
		install -m 644 dist/strongswan.conf $(D_CONF)/strongswan.conf.new; fi
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/gwd $(DESTDIR)$(PREFIX)/bin/gwctl $(D_UNIT)/gwd.service $(D_UNIT)/gwd-charon.service
	rm -f $(D_USERS)/gwd.conf $(D_TMP)/gwd.conf $(D_SHARE)/bash-completion/completions/gwctl $(D_SHARE)/gwd/gwd.schema.json
	for m in $(notdir $(MAN)); do rm -f $(D_SHARE)/man/man$${m##*.}/$$m; done
	rm -f $(addprefix $(D_SHARE)/doc/gwd/examples/,$(notdir $(EXAMPLES))) $(D_CONF)/strongswan.conf.new
	if cmp -s dist/strongswan.conf $(D_CONF)/strongswan.conf; then rm -f $(D_CONF)/strongswan.conf; fi
	for d in $(D_SHARE)/gwd $(D_SHARE)/doc/gwd/examples $(D_SHARE)/doc/gwd $(D_CONF); do \
		[ ! -d $$d ] || rmdir --ignore-fail-on-non-empty $$d || exit; done
clean:
	rm -rf build
