# Nothing but Go programs: one built as modules by a Go before 1.18, one that Debian built without modules by a later one.
scratch
cp "$(npm_package esbuild-linux-64@0.14.0)/bin/esbuild" "$root/esbuild"
layer 'COPY esbuild 0.14.0'

mkdir "$work/deb"
(cd "$work/deb" && apt-get -qq -o APT::Sandbox::User=root download docker-registry && dpkg -x docker-registry_*.deb .)
mkdir -p "$root/usr/bin"
cp "$work/deb/usr/bin/docker-registry" "$root/usr/bin/"
layer "COPY docker-registry"
config --config.entrypoint /esbuild --os linux --architecture amd64
