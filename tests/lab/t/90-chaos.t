#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A short chaos run (tests/chaos): a fault of each row of its list, then others, in the same order each time, up to a minute and a half.
# `make chaos` is the long one.
# It changes the clock.
# alone

# shellcheck source=tests/lab/lib.sh disable=SC2317 # functions are called by name
. tests/lab/lib.sh
# shellcheck source=tests/chaos/chaos.sh
. tests/chaos/chaos.sh

SEED=1
chaos_begin
chaos_short 90
chaos_end
