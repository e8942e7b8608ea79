# A real rpm database. No archive of rpm packages is at hand, so they are our own, with names and versions of AlmaLinux 9.
scratch

mkdir -p "$work/rpm/SPECS" "$root/etc"
cat >"$root/etc/os-release" <<'RELEASE'
NAME="AlmaLinux"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.0"
PRETTY_NAME="AlmaLinux 9.0 (constructed)"
CPE_NAME="cpe:/o:almalinux:almalinux:9::baseos"
RELEASE

rpm_package() { # NAME EPOCH VERSION RELEASE LICENCE [SUBPACKAGE]: built from the same source
  cat >"$work/rpm/SPECS/$1.spec" <<SPEC
Name: $1
Epoch: $2
Version: $3
Release: $4
Summary: stands in for $1
License: $5
BuildArch: noarch
%description
stands in for $1
%install
mkdir -p %{buildroot}/usr/share/stand-in
echo $1 > %{buildroot}/usr/share/stand-in/$1
%files
/usr/share/stand-in/$1
SPEC
  [ -z "${6:-}" ] || cat >>"$work/rpm/SPECS/$1.spec" <<SPEC
%package $6
Summary: stands in for $1-$6
%description $6
stands in for $1-$6
%files $6
SPEC
  [ "$2" != 0 ] || sed -i '/^Epoch:/d' "$work/rpm/SPECS/$1.spec"
  rpmbuild --quiet -bb --define "_topdir $work/rpm" --define '_buildhost nowhere' "$work/rpm/SPECS/$1.spec"
}

rpm_package bash 0 5.1.8 4.el9 GPLv3+
rpm_package curl 0 7.76.1 14.el9 MIT
rpm_package expat 0 2.2.10 12.el9 MIT
rpm_package libxml2 0 2.9.13 1.el9 MIT
rpm_package openssl 1 3.0.1 23.el9_0 'ASL 2.0' libs
rpm_package sqlite 0 3.34.1 5.el9 'Public Domain' libs
rpm_package zlib 0 1.2.11 31.el9 'zlib and Boost'

rpm --root "$root" --define '_dbpath /var/lib/rpm' --nodeps --noscripts --ignorearch -i "$work"/rpm/RPMS/noarch/*.rpm
rm -f "$root/var/lib/rpm/.rpm.lock" "$root"/var/lib/rpm/rpmdb.sqlite-{shm,wal}
layer 'rpm -i'
config --config.cmd bash --os linux --architecture amd64
