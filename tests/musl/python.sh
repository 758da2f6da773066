#!/usr/bin/env bash
# CPython built against musl from Debian's own source package, with what skywasm and its tests need. Only the packages that
# it is built with need root.
#   tests/musl/python.sh [FOLDER]      default .venv-musl; run again, what is there is kept
# The folder has bin/python3 in the end, with the wheels that are made for musl.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(realpath -m "${1:-$root/.venv-musl}")
python=$(apt-cache depends python3 | sed -n 's/^ *Depends: \(python3\.[0-9]*\)$/\1/p' | head -1)
as_root=(env)
[ "$(id -u)" = 0 ] || as_root=(sudo)
mkdir -p "$folder/src"
export DEBIAN_FRONTEND=noninteractive

step() { printf '== %s (%s s)\n' "$1" "$SECONDS"; }

step "musl, and the sources of $python, libffi and zlib"
command -v musl-gcc >/dev/null || {
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends musl-tools dpkg-dev linux-libc-dev >"$folder/apt.log"
}
if ! ls -d "$folder"/src/*/configure >/dev/null 2>&1; then
  # The lists that this machine has, asked for sources, in a place of their own.
  mkdir -p "$folder/apt/sources" "$folder/apt/lists/partial"
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ -f "$list" ] && sed 's/^Types: .*/Types: deb-src/; s/^deb /deb-src /' "$list" >"$folder/apt/sources/$(basename "$list")"
  done
  apt=(-q -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$folder/apt/sources"
    -o "Dir::State::Lists=$folder/apt/lists" -o "APT::Sandbox::User=$(id -un)")
  apt-get "${apt[@]}" update
  # Upstream's archives are enough: Debian's changes are for its own C library, and not always there to be fetched.
  (
    cd "$folder/src"
    apt-get "${apt[@]}" source --download-only --tar-only "$python" libffi zlib >"$folder/source.log" 2>&1
    for archive in *.orig.tar.*; do tar -xf "$archive"; done
  )
fi

# musl-gcc is GCC with another library, and says by this option that it is the usual one.
cat >"$folder/cc" <<'END'
#!/bin/sh
[ "$1" = --print-multiarch ] && exit
exec musl-gcc "$@"
END
chmod +x "$folder/cc"
# Kernel headers are no part of a C library; musl's own stand before them.
export CC="$folder/cc"
export CFLAGS="-O2 -fPIC -idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch)"
export CPPFLAGS="-I$folder/include" LDFLAGS="-L$folder/lib -Wl,-rpath,$folder/lib" PKG_CONFIG_PATH="$folder/lib/pkgconfig" PKG_CONFIG_LIBDIR="$folder/lib/pkgconfig"

if [ ! -e "$folder/lib/libffi.a" ]; then
  step "libffi and zlib"
  (cd "$folder"/src/libffi-*/ && ./configure -q --prefix="$folder" --libdir="$folder/lib" --disable-shared --disable-docs \
    --disable-multi-os-directory && make -s install) >"$folder/libffi.log" 2>&1
  (cd "$folder"/src/zlib-*/ && ./configure --prefix="$folder" --static && make -s install) >"$folder/zlib.log" 2>&1
fi

if [ ! -x "$folder/bin/python3" ]; then
  step "$python"
  (
    cd "$folder"/src/Python-*/
    export LIBFFI_CFLAGS="-I$folder/include" LIBFFI_LIBS="-L$folder/lib -lffi" ZLIB_CFLAGS="-I$folder/include" ZLIB_LIBS="-L$folder/lib -lz"
    ./configure -q --prefix="$folder" --without-ensurepip --disable-test-modules --enable-shared=no
    make -s -j2
    make -s install
  ) >"$folder/python.log" 2>&1
fi

step "wheels"
version=${python#python}
site="$folder/lib/python$version/site-packages"
if [ ! -e "$folder/lib/libgcc_s.so.1" ]; then
  python3 -m venv "$folder/tools"
  "$folder/tools/bin/pip" install -q --upgrade --target "$site" --platform musllinux_1_2_x86_64 --platform musllinux_1_1_x86_64 \
    --implementation cp --python-version "$version" --only-binary=:all: \
    'wasmtime>=50.0.1' 'psutil>=5.9' 'platformdirs>=3' 'rich>=12' 'pytest>=8' 'pytest-timeout>=2' 'pytest-xdist>=3' \
    'hypothesis>=6' 'numpy>=1.24,<2' 'blake3>=1'
  # wasmtime wants GCC's library of a system of musl's. numpy's wheel carries one; those of numpy 2 are packed in a way that
  # Debian's musl, 1.2.3, does not read (RELR), and crash in it.
  libraries=("$site"/numpy.libs/libgcc_s-*.so.1)
  cp "${libraries[0]}" "$folder/lib/libgcc_s.so.1"
fi
echo "$root" >"$site/checkout.pth"
step "done"
