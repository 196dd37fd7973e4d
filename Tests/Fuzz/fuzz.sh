#!/bin/sh
# Builds the scanner with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs it.
#
#   Tests/Fuzz/fuzz.sh [RUNS] [LIBFUZZER OPTION]...
#
# RUNS: 1,000,000 where it is not given. Inputs that reach new code are kept in .build/fuzz/found; one
# that fails is written to .build/fuzz/crash-... and can be given as an option to see it again.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-1000000}
[ $# -gt 0 ] && shift

build=.build/fuzz
mkdir -p "$build/found" "$build/CSimdjson"
cat > "$build/CSimdjson/module.modulemap" <<END
module CSimdjson { header "$PWD/Sources/CSimdjson/include/csimdjson.h" export * }
END

# UBSan stops at the first finding, as ASan does.
cxx="-std=c++17 -O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
objects=
for source in Sources/CSimdjson/*.cpp; do
  object="$build/$(basename "$source" .cpp).o"
  # shellcheck disable=SC2086
  clang++ $cxx -ISources/CSimdjson/include -c "$source" -o "$object"
  objects="$objects $object"
done
# shellcheck disable=SC2046,SC2086
swiftc -O -g -parse-as-library -module-name WeirData -swift-version 6 -suppress-warnings \
  -sanitize=fuzzer,address -I "$build/CSimdjson" \
  -I Sources/CZstd -I Sources/CZlib -I Sources/CXXHash -I Sources/CUtf8proc -I Sources/CCrypto \
  -I Sources/CLinux \
  $(find Sources/WeirData -name '*.swift') \
  Tests/WeirDataTests/ScannerCheck.swift Tests/Fuzz/FuzzScanner.swift \
  $objects -lsimdjson -lstdc++ -Xclang-linker -fsanitize=undefined -o "$build/fuzz"

# Stacks of allocations cost half of the time; without them a finding still names the access.
export ASAN_OPTIONS="${ASAN_OPTIONS:-malloc_context_size=0}"

# The first byte of an input says how it is read.
mkdir -p "$build/seeds"
for seed in Tests/Fuzz/seeds/*; do
  for choice in 0 1 2 3 4; do
    { printf "\\00$choice"; cat "$seed"; } > "$build/seeds/$choice-$(basename "$seed")"
  done
done

exec "$build/fuzz" -runs="$runs" -max_len=400 -dict=Tests/Fuzz/json.dict \
  -artifact_prefix="$build/" -print_final_stats=1 "$@" "$build/found" "$build/seeds"
