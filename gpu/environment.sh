# What gpu/check needs beside itself, read by it with `here`, the folder gpu/: in an archive of pack.sh its Node, its libraries and a checkout's files;
# everywhere what a bare machine leaves unsaid, in VK_DRIVER_FILES, XDG_RUNTIME_DIR and LARMOR_CUFFT. What the environment says already stands.
root=$(dirname "$here")
[ ! -x "$root/bin/node" ] || PATH=$root/bin:$PATH

for path in models bench; do
  [ ! -e "$root/$path" ] || continue
  if [ ! -d "${CHECKOUT:-}/$path" ]; then
    echo "gpu/check: this archive was packed without $path/, and CHECKOUT is ${CHECKOUT:-not set}: set it to a checkout of larmor that has $path/" >&2
    exit 2
  fi
  cp -R "$CHECKOUT/$path" "$root/$path" || exit 2
done

cache=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null) || cache=

# Whether the loader finds a library by its name.
loadable() (
  case $cache in *"$1 (libc6,x86-64"*) exit 0 ;; esac
  IFS=:
  for folder in ${LD_LIBRARY_PATH:-}; do
    [ ! -e "$folder/$1" ] || exit 0
  done
  exit 1
)

# The first of some files that is there, if any.
first() {
  for file; do
    if [ -e "$file" ]; then
      echo "$file"
      break
    fi
  done
}

# Each library lies in a folder of its own, so that none hides one of the machine's.
for library in "$root"/libraries/*/*; do
  [ ! -e "$library" ] || loadable "${library##*/}" || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${library%/*}
done
[ -z "${LD_LIBRARY_PATH:-}" ] || export LD_LIBRARY_PATH

if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  driver=$(first /etc/vulkan/icd.d/nvidia_icd*.json /usr/share/vulkan/icd.d/nvidia_icd*.json /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd*.json)
  [ -z "$driver" ] || export VK_DRIVER_FILES="$driver"
fi
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

if [ -z "${LARMOR_CUFFT:-}${CUFFT_PATH:-}" ] && ! loadable libcufft.so.12 && ! loadable libcufft.so.11; then
  toolkit=${CUDA_HOME:-/usr/local/cuda}/lib64
  cufft=$(first "$toolkit/libcufft.so.12" /usr/local/cuda-*/lib64/libcufft.so.12 "$toolkit/libcufft.so.11" /usr/local/cuda-*/lib64/libcufft.so.11)
  # Python's package of it: nvidia-cufft of CUDA 13, nvidia-cufft-cu12.
  [ -n "$cufft" ] || cufft=$(python3 -c '
import glob, sys
found = [file for folder in sys.path for file in glob.glob(folder + "/nvidia/*/lib/libcufft.so.1[12]")]
print(max(found, key=lambda file: file[-2:], default=""))' 2>/dev/null) || cufft=
  [ -z "$cufft" ] || export LARMOR_CUFFT="$cufft"
fi
