# One index, two images: the same program for two kinds of machines.
oci=application/vnd.oci.image

add_platform() { # ARCHITECTURE, npm's name for it
  local whole=$layout
  layout=$work/$1 bundle=$work/$1.bundle root=$work/$1.bundle/rootfs
  scratch
  cp "$(npm_package "esbuild-linux-$2@0.14.54")/bin/esbuild" "$root/esbuild"
  layer "COPY esbuild-linux-$2 0.14.54"
  config --config.entrypoint /esbuild --os linux --architecture "$1"
  umoci gc --layout "$layout" >/dev/null
  cp -n "$layout"/blobs/sha256/* "$whole/blobs/sha256/"
  layout=$whole
}

descriptor() { # ARCHITECTURE
  jq -c --arg architecture "$1" \
    '.manifests[0] | {mediaType, digest, size, platform: {os: "linux", architecture: $architecture}}' "$work/$1/index.json"
}

umoci init --layout "$layout"
add_platform amd64 64
add_platform arm64 arm64

index=$work/index.json
{ descriptor amd64; descriptor arm64; } |
  jq -cs --arg type "$oci.index.v1+json" '{schemaVersion: 2, mediaType: $type, manifests: .}' >"$index"
digest=$(sha256sum "$index" | cut -d ' ' -f 1)
jq -cn --arg type "$oci.index.v1+json" --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$index")" \
  '{schemaVersion: 2, manifests: [{mediaType: $type, digest: $digest, size: $size,
    annotations: {"org.opencontainers.image.ref.name": "latest"}}]}' >"$layout/index.json"
mv "$index" "$layout/blobs/sha256/$digest"
