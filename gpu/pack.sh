#!/bin/sh
# One archive with all that gpu/check needs on a machine without network and Node: gpu/pack.sh [OUT.tar.xz]
# There: tar -xJf OUT.tar.xz && larmor-gpu/check. First here: npm ci, npm run build:ts, npm run build:native, npm run build:cuda.
# MAX_MIB (56) limits the archive, XZ_LEVEL (2) trades time for size.
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
for path in package.json dist models gpu bench/support bench/compare build/Release/larmor.node build-cuda/plugin; do
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
cat >"$to/check" <<'CHECK'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here/bin:$PATH exec "$here/gpu/check"
CHECK
chmod +x "$to/check"
tar -C "$work" -cf - larmor-gpu | xz -"${XZ_LEVEL:-2}" -T0 >"$out"
size=$(stat -c %s "$out")
echo "$out: $((size >> 20)) MiB packed, $(du -sm "$to" | cut -f1) MiB unpacked"
if [ "$size" -gt $((${MAX_MIB:-56} << 20)) ]; then
  echo "more than ${MAX_MIB:-56} MiB: set XZ_LEVEL=6" >&2
  exit 1
fi
