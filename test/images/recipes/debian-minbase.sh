# Debian 12 as it is without anything: the base of the others.
debian bookworm
config --config.cmd bash --os linux --architecture amd64
