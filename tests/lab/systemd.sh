# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A node under systemd: /lib/systemd/systemd as process 1 of a PID namespace of its own in the node, with the node's network,
# /etc, /var and /run, and own /proc, /dev and cgroups. Of the distribution's units it sees only the few targets that services
# stand on, the journal, and tmpfiles.d for gwd; /etc/systemd/system is empty; /usr/local/lib is searched as everywhere. So what is
# installed in the node is started as on a machine, and nothing else is.
#
#	systemd_prepare NODE		once per node: what `make install` writes stays in the node, units as above
#	systemd_boot NODE		start it; true when multi-user.target is reached
#	systemd_kill NODE		end it and all its services at once, as by the power switch; the network stays
#	systemd_run NODE CMD...		run CMD beside its services
#	systemd_clean			remove the cgroups; after lab_end

SYSTEMD_UNITS="basic.target sysinit.target shutdown.target multi-user.target network.target network-pre.target sockets.target
	systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-tmpfiles-setup.service"

systemd_prepare() {
	local over=$LAB_DIR/$1/over

	mkdir -p "$over"/{local,work.local}
	# shellcheck disable=SC2016,SC2086 # expanded inside; a list of words
	lab_run "$1" bash -ec '
		over=$1 units=/run/lab-units
		shift
		mount -t overlay -o "lowerdir=/usr/local,upperdir=$over/local,workdir=$over/work.local" lab /usr/local
		mkdir -p $units/none
		for u; do
			cp /lib/systemd/system/$u $units/
		done
		mkdir $units/sysinit.target.wants
		ln -s $units/systemd-journald* $units/systemd-tmpfiles-setup.service $units/sysinit.target.wants/
		sed -i "s/^ExecStart=systemd-tmpfiles .*/& gwd.conf/" $units/systemd-tmpfiles-setup.service
		mount --bind $units /lib/systemd/system
		mount --bind $units/none /lib/systemd/system-generators
		rm -rf /etc/systemd/system/* /etc/machine-id
		echo 0123456789abcdef0123456789abcdef >/etc/machine-id
		mkdir -p /etc/systemd/journald.conf.d
		printf "[Journal]\nStorage=volatile\n" >/etc/systemd/journald.conf.d/lab.conf
	' - "$over" $SYSTEMD_UNITS
}

systemd_boot() {
	# shellcheck disable=SC2016
	lab_spawn "$1" systemd unshare --mount bash -ec '
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		own=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/lab-$1
		mkdir -p "$own"
		echo $$ >"$own/cgroup.procs"
		exec unshare --mount --pid --cgroup --ipc --fork --kill-child --mount-proc bash -ec "
			umount /sys/fs/cgroup
			mount -t cgroup2 cgroup2 /sys/fs/cgroup
			mkdir /run/lab-dev
			mount -t tmpfs -o mode=755 dev /run/lab-dev
			cp -a /dev/{null,zero,full,random,urandom,tty} /run/lab-dev
			mount --move /run/lab-dev /dev
			rmdir /run/lab-dev
			mkdir /dev/pts /dev/shm
			mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts
			mount -t tmpfs shm /dev/shm
			ln -s pts/ptmx /dev/ptmx
			ln -s /proc/self/fd /dev/fd
			exec env -i container=lab PATH=\$PATH /lib/systemd/systemd --system --unit=multi-user.target \
				--log-target=journal-or-kmsg --show-status=no
		"
	' - "$1"
	lab_wait 20 pgrep -P "$(lab_pid "$1" systemd)" -x systemd || return
	pgrep -P "$(lab_pid "$1" systemd)" -x systemd >"$LAB_DIR/$1/pid/systemd.1"
	lab_wait 60 systemd_reached "$1" multi-user.target
}

# systemd.1: process 1 by its number out here
systemd_run() {
	nsenter -t "$(<"$LAB_DIR/$1/pid/systemd.1")" --mount --net --pid --cgroup --ipc --wdns="$PWD" -- "${@:2}"
}

systemd_reached() {
	[ "$(systemd_run "$1" systemctl is-active "$2")" = active ]
}

systemd_kill() {
	kill -KILL "$(<"$LAB_DIR/$1/pid/systemd.1")"
	lab_stop "$1" systemd
	lab_run "$1" find /run -mindepth 1 -maxdepth 1 ! -name lab-units -exec rm -rf {} +
}

# shellcheck disable=SC2016 # expanded inside
systemd_clean() {
	lab_wait 10 unshare --mount bash -c '
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		cd "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)" || exit
		for c in lab-*; do
			[ ! -d "$c" ] || find "$c" -depth -type d -exec rmdir {} + || exit
		done
	'
}
