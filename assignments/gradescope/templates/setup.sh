#!/usr/bin/env bash
# Run once, as root, when the image of the assignment is built: the only time that the network is
# needed. Installs a compiler, builds the grader, and builds the student's stubs.
set -euo pipefail
source=/autograder/source
# shellcheck source=settings
. "$source/settings"

# Packages of Debian and Ubuntu.
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ca-certificates curl gcc libc6-dev

# The user as whom the student's code is compiled and run.
id student > /dev/null 2>&1 ||
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin student

# Everything belongs to root; the grader is for no other eyes.
rm -rf "$home"
install --directory --mode=755 "$home"
cp -R "$source"/{vendor,answers,grader,as_student,watched_rustc,settings} "$home"
install -D "$source/vendored.toml" "$home/.cargo/config.toml"
chown -R root:root "$home"
chmod -R u=rwX,go=rX "$home"
chmod 755 "$home"/{as_student,watched_rustc}
chmod 700 "$home/grader" "$source"

# The very Rust that the archive was made with: one that is there already, if the student's user may
# run it, or else from its installer.
PATH=/usr/local/cargo/bin:/usr/local/rust/bin:$PATH
find_rust() {
    local sysroot
    sysroot=$(RUSTUP_TOOLCHAIN=$rust rustc --print sysroot 2> /dev/null) || return
    ln -sfn "$sysroot" "$home/rust"
    [[ $("$home/as_student" rustc --version 2> /dev/null) == "rustc $rust "* ]] &&
        "$home/as_student" cargo --version > /dev/null 2>&1
}
export RUSTUP_HOME=${RUSTUP_HOME:-/usr/local/rustup}
if ! find_rust; then
    export RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo
    curl --proto '=https' --tlsv1.2 --silent --show-error --fail --retry 3 https://sh.rustup.rs |
        sh -s -- -y --no-modify-path --profile minimal --default-toolchain "$rust"
    find_rust || { echo "Rust $rust is installed, but does not start" >&2; exit 1; }
fi
PATH=$home/rust/bin:$PATH

# The grader, and the result that stands where a run does not come to its end.
cd "$home/grader"
CARGO_HOME=$home/grader/cargo CARGO_INCREMENTAL=0 \
    cargo build --locked --offline --package assignments --bin grade --target-dir target
mv target/debug/grade .
rm -rf target cargo
./grade "$part" "${options[@]}" --quiet --unfinished --gradescope "$home/grader/unfinished.json"

# The student's part with its stubs, so that a submission compiles only what is new in it.
install --directory --owner=student --group=student "$home/answers/build"
for program in "${programs[@]}"; do
    compile "$program"
done
cp -a "$home/answers" "$home/clean"
chmod 700 "$home/clean"
echo "Set up: ${programs[*]}, with $("$home/as_student" rustc --version)"
