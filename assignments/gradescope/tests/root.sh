#!/usr/bin/env bash
# A bare Debian in a folder, as a course's image would be. It has its own processes and mounts, all
# of which end with the command. Needs root, debootstrap, and Debian's packages.
#
#   root.sh ROOT setup ARCHIVE      makes it, unpacks the archive, runs setup.sh
#   root.sh ROOT grade SUBMISSION   a folder is handed in; without a network. Prints results.json
#   root.sh ROOT run COMMAND        for looking around
set -euo pipefail
root=$1 task=$2 what=$3

# within ROOT [OPTIONS OF unshare] COMMAND: runs it there, with nothing but the compiler from outside.
within() {
    local command=${*: -1}
    # shellcheck disable=SC2016 # the variables are those of the bash that is started
    sysroot=$(rustc --print sysroot) root=$root command=$command \
        unshare --mount --pid --fork --kill-child --ipc --uts "${@:1:$#-1}" bash -c '
        set -euo pipefail
        mkdir -p "$root/usr/local/rust"
        mount --bind "$sysroot" "$root/usr/local/rust"
        mount -o remount,bind,ro "$root/usr/local/rust"
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t tmpfs tmpfs "$root/dev"
        for name in null zero full random urandom; do
            touch "$root/dev/$name"
            mount --bind "/dev/$name" "$root/dev/$name"
        done
        ln -s /proc/self/fd "$root/dev/fd"
        mkdir -m 1777 "$root/dev/shm"
        exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            bash -c "$command"'
}

case $task in
setup)
    if [ ! -e "$root/etc/debian_version" ]; then
        debootstrap --variant=minbase bookworm "$root" > "$root.log" || { tail "$root.log" >&2; exit 1; }
    fi
    # What apt has to know to reach the packages from this machine.
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    grep -ls '^Acquire' /etc/apt/apt.conf.d/* | xargs -r cp -t "$root/etc/apt/apt.conf.d/"
    chmod 1777 "$root/tmp"
    rm -rf "$root/autograder" "$root/opt/gradus"
    mkdir -p "$root/autograder/source"
    unzip -q "$what" -d "$root/autograder/source"
    cp "$root/autograder/source/run_autograder" "$root/autograder/"
    within /autograder/source/setup.sh
    ;;
grade)
    rm -rf "$root/autograder/submission" "$root/autograder/results"
    mkdir -p "$root/autograder/results"
    cp -a "$what" "$root/autograder/submission"
    chown -R root:root "$root/autograder/submission"
    status=0
    # shellcheck disable=SC2016 # as above
    within --net 'cd /autograder && ./run_autograder > results/stdout 2>&1; status=$?
        for ((i = 0; i < 50; i++)); do
            find /proc -maxdepth 1 -user student | wc -l > results/left
            if grep -q "^0$" results/left; then break; fi
            sleep 0.1 # it takes a while to die with much memory
        done
        exit "$status"' || status=$?
    cat "$root/autograder/results/results.json"
    if [ "$status" -ne 0 ]; then
        echo "run_autograder ended with status $status" >&2
        cat "$root/autograder/results/stdout" >&2
        exit 1
    fi
    ;;
run) within "$what" ;;
*) echo "no such task: $task" >&2; exit 2 ;;
esac
