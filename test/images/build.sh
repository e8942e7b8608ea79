#!/bin/bash
# Builds real images from Debian's archive and npm's packages, without any registry of images.
#
#   build.sh FOLDER NAME     builds recipes/NAME.sh, unless it is there already; prints the OCI layout's path (tag: latest)
#
# An image lies in FOLDER/NAME-KEY, where the key is that of this script, its recipe and its base: what is changed is built
# anew, and one that was begun and not ended counts for nothing. Whoever wants one that is being built waits for it.
# The archive moves: images of two days may have other versions of the same packages.
#
# Needs root, for the files' owners and for chroot. What it mounts goes with the process that mounted it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
name=$2
recipe=$here/recipes/$name.sh
[ -f "$recipe" ] || { echo "build.sh: there is no recipe $name" >&2; exit 1; }
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# ---- where an image is kept

# The recipes that this one is built upon, itself first: `from NAME` is the first command of one that has a base.
lineage() {
  local base
  echo "$here/recipes/$1.sh"
  base=$(sed -n 's/^from //p' "$here/recipes/$1.sh")
  [ -z "$base" ] || lineage "$base"
}

mapfile -t sources < <(lineage "$name")
key=$(cat "$here/build.sh" "${sources[@]}" | sha256sum | cut -c 1-16)
kept=$folder/$name-$key
work=$folder/.$name.work # one at a time: under the lock
layout=$work/kept/layout
bundle=$work/bundle
root=$bundle/rootfs

# ---- the words that recipes are written in

# An empty image.
scratch() {
  umoci init --layout "$layout"
  umoci new --image "$layout:latest"
  umoci unpack --image "$layout:latest" "$bundle" >/dev/null 2>&1
}

# The layers of another recipe's image, which both then share.
from() {
  local base
  base=$("$here/build.sh" "$folder" "$1")
  cp -a "$base" "$layout"
  cp -a "$base/../apt-lists" "$work/kept/apt-lists"
  umoci unpack --image "$layout:latest" "$bundle" >/dev/null
}

# A layer with the smallest Debian that has apt, of the archive that this machine's apt uses. Of `main` alone, without what
# the security archive has mended since: so that there is something to find.
debian() { # SUITE
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Component: main' | sort -u | head -n 1)
  [ -n "$mirror" ] || { echo "build.sh: apt knows no archive of Debian 12" >&2; exit 1; }
  scratch
  mmdebstrap --quiet --mode=root --variant=minbase --format=directory --skip=cleanup/apt/lists \
    --dpkgopt=force-unsafe-io "$1" "$root" "deb $mirror $1 main"
  rm -f "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
  mv "$root/var/lib/apt/lists" "$work/kept/apt-lists"
  mkdir -p "$root/var/lib/apt/lists/partial"
  layer "mmdebstrap $1"
}

# Installs Debian's packages into the image, by its own apt, from the lists that its base was made with. What apt and dpkg
# need and leave behind is mounted in a namespace of its own: the network's names, devices, lists, archives, logs.
install() { # PACKAGE ...
  root=$root lists=$work/kept/apt-lists unshare --mount --pid --fork --kill-child -- bash -euc '
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
      touch "$root/dev/$device"
      mount --bind "/dev/$device" "$root/dev/$device"
    done
    mount --bind "$lists" "$root/var/lib/apt/lists"
    for folder in tmp var/cache/apt var/log; do mount -t tmpfs tmpfs "$root/$folder"; done
    touch "$root/tmp/resolv.conf"
    cat /etc/resolv.conf >"$root/tmp/resolv.conf"
    [ -e "$root/etc/resolv.conf" ] || touch "$root/etc/resolv.conf"
    mount --bind "$root/tmp/resolv.conf" "$root/etc/resolv.conf"
    printf "#!/bin/sh\nexit 101\n" >"$root/tmp/policy-rc.d"
    chmod +x "$root/tmp/policy-rc.d"
    touch "$root/usr/sbin/policy-rc.d"
    mount --bind "$root/tmp/policy-rc.d" "$root/usr/sbin/policy-rc.d" # no service is started
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/nowhere \
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install "$@" >"$root/tmp/output" 2>&1 ||
      { cat "$root/tmp/output" >&2; exit 1; }
  ' install "$@"
  rm -f "$root/usr/sbin/policy-rc.d"
}

# A package of npm, not installed but unpacked: prints its folder.
npm_package() { # NAME@VERSION
  local into
  into=$(mktemp -d "$work/npm.XXXXXX")
  (cd "$into" && npm pack --silent "$1" >/dev/null && tar -xzf ./*.tgz)
  echo "$into/package"
}

# What was changed in $root since the last one, as a layer.
layer() { # HISTORY
  umoci repack --refresh-bundle --history.created_by "$1" --image "$layout:latest" "$bundle" >/dev/null
}

config() { umoci config --image "$layout:latest" "$@"; }

# ---- one at a time, whole or not at all

exec 9>"$folder/.$name.lock"
flock 9
if [ ! -d "$kept" ]; then
  rm -rf "$work" "$folder/$name"-????????????????
  mkdir -p "$work/kept"
  trap 'rm -rf "$work"' EXIT
  # shellcheck source=/dev/null
  . "$recipe" >&2
  umoci gc --layout "$layout" >/dev/null
  mv "$work/kept" "$kept"
fi
echo "$kept/layout"
