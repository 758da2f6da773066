#!/bin/sh
# Line coverage of both crates by their native tests; fails below the percentage given (default 90).
# Needs llvm-cov and llvm-profdata at least as new as rustc's LLVM (`rustc -vV`): rustup's own
# (`rustup component add llvm-tools`), or Debian's, which numbers them.
set -eu
cd "$(dirname "$0")"
least=${1:-90}
own=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
newest() { if [ -x "$own/$1" ]; then echo "$own/$1"; else ls /usr/bin/"$1"-[0-9]* 2>/dev/null | sort -V | tail -n 1; fi; }
llvm_cov=$(newest llvm-cov)
llvm_profdata=$(newest llvm-profdata)
out=$PWD/target/coverage
rm -rf "$out"
mkdir -p "$out"
export CARGO_TARGET_DIR="$PWD/target/instrumented" RUSTFLAGS="-Cinstrument-coverage" LLVM_PROFILE_FILE=/dev/null
cargo test --quiet --tests --no-run --message-format=json |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >"$out/tests"
objects=""
while read -r test; do
  LLVM_PROFILE_FILE="$out/%p-%m.profraw" "$test" -q
  objects="$objects --object $test"
done <"$out/tests"
"${llvm_profdata:-llvm-profdata}" merge -sparse "$out"/*.profraw -o "$out/all.profdata"
# shellcheck disable=SC2086
"${llvm_cov:-llvm-cov}" export --summary-only --format=text --instr-profile="$out/all.profdata" \
  --ignore-filename-regex='registry|rustc|/tests/' $objects >"$out/summary.json"
python3 - "$out/summary.json" "$least" <<'PYTHON'
import json, os, sys
summary = json.load(open(sys.argv[1]))["data"][0]
for file in summary["files"]:
    lines = file["summary"]["lines"]
    print(f"{os.path.relpath(file['filename']):28} {lines['covered']:5} of {lines['count']:5} lines {lines['percent']:6.1f} %")
percent = summary["totals"]["lines"]["percent"]
print(f"{'all':28} {percent:31.1f} %, at least {sys.argv[2]} asked")
sys.exit(percent < float(sys.argv[2]))
PYTHON
