#!/bin/sh
# One archive with all that gpu/check needs on a machine without network and Node: gpu/pack.sh [OUT.tar.xz]
# There: tar -xJf OUT.tar.xz && larmor-gpu/check. First here: npm ci, npm run build:ts, npm run build:native, npm run build:cuda.
# MAX_MIB (56) limits the archive, XZ_LEVEL (2) trades time for size; CHECKOUT=1 leaves out models/ and bench/, which the check there then takes from
# the checkout that CHECKOUT names. LIBRARIES is a folder with what Vulkan drivers load, for what this machine has not installed.
set -eu
cd "$(dirname "$0")/.."
out=${1:-gpu-check.tar.xz}
node=$(node -p process.execPath)
if ldd "$node" | grep -q libnode; then
  echo "$node is not whole in itself: it needs libnode" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
to=$work/larmor-gpu
mkdir -p "$to/bin" "$to/node_modules"
cp "$node" "$to/bin/node"
strip "$to/bin/node" || echo "node is packed unstripped" >&2
tracked='models bench/support bench/compare'
[ -z "${CHECKOUT:-}" ] || tracked=
for path in package.json dist gpu build/Release/larmor.node build-cuda/plugin $tracked; do
  mkdir -p "$to/$(dirname "$path")"
  cp -RL "$path" "$to/$path"
done
npm ls --omit=dev --all --parseable | tail -n +2 | while read -r module; do
  inside=$to/node_modules/${module#"$PWD"/node_modules/}
  mkdir -p "$(dirname "$inside")"
  cp -RL "$module" "$inside"
done
find "$to/node_modules/onnxruntime-node/bin" -mindepth 2 -maxdepth 3 -type d ! -path '*/linux*' -prune -exec rm -rf {} +
rm -rf "$to"/node_modules/onnxruntime-node/bin/*/linux/arm64
find "$to" -name '*.map' -delete
# Vulkan's loader, and what NVIDIA's Vulkan driver loads: GLVND, and X11 with what that loads.
absent=
for name in libvulkan.so.1 libGLdispatch.so.0 libGLX.so.0 libEGL.so.1 libOpenGL.so.0 libGL.so.1 libGLESv2.so.2 \
  libX11.so.6 libXext.so.6 libxcb.so.1 libXau.so.6 libXdmcp.so.6 libbsd.so.0 libmd.so.0; do
  file=${LIBRARIES:+$LIBRARIES/$name}
  [ -e "$file" ] || file=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p | awk -v name="$name" '$1 == name && /x86-64/ { print $NF; exit }')
  if [ -z "$file" ]; then
    absent="$absent $name"
    continue
  fi
  mkdir -p "$to/libraries/$name"
  cp -L "$file" "$to/libraries/$name/$name"
done
[ -z "$absent" ] || echo "not packed, as neither this machine nor the folder LIBRARIES (${LIBRARIES:-not set}) has them:$absent" >&2
printf '#!/bin/sh\nexec "$(dirname "$0")/gpu/check" "$@"\n' >"$to/check"
chmod +x "$to/check"
tar -C "$work" -cf - larmor-gpu | xz -"${XZ_LEVEL:-2}" -T0 >"$out"
size=$(stat -c %s "$out")
echo "$out: $((size >> 20)) MiB packed, $(du -sm "$to" | cut -f1) MiB unpacked"
if [ "$size" -gt $((${MAX_MIB:-56} << 20)) ]; then
  echo "more than ${MAX_MIB:-56} MiB: set XZ_LEVEL=6, or CHECKOUT=1 where a checkout travels with it" >&2
  exit 1
fi
