/// SHA-256 (FIPS 180-4) for the tests, which must not depend on a library for it.
func reportHash(_ message: [UInt8]) -> [UInt8] {
  // The fractional parts of the cube and square roots of the first primes, 32 bits each.
  let primes = (2...311).filter { n in (2..<n).allSatisfy { n % $0 != 0 } }
  let k = primes.map { fraction(of: $0, power: 3) }
  var h = primes.prefix(8).map { fraction(of: $0, power: 2) }
  var data = message + [0x80]
  while data.count % 64 != 56 { data.append(0) }
  let bits = UInt64(message.count) * 8
  data += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
  func turn(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
  for start in stride(from: 0, to: data.count, by: 64) {
    var w = (0..<16).map { i in
      (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(data[start + 4 * i + $1]) }
    }
    for i in 16..<64 {
      let a = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3
      let b = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10
      w.append(w[i - 16] &+ a &+ w[i - 7] &+ b)
    }
    var v = h
    for i in 0..<64 {
      let s1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)
      let choice = v[4] & v[5] ^ ~v[4] & v[6]
      let t1 = v[7] &+ s1 &+ choice &+ k[i] &+ w[i]
      let s0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)
      let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
      v = [t1 &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
    }
    h = zip(h, v).map { $0 &+ $1 }
  }
  return h.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) }
  }
}

/// floor(2^32 * frac(root of `n`)), by bisection in whole numbers.
private func fraction(of n: Int, power: Int) -> UInt32 {
  var lo: UInt64 = 0
  var hi: UInt64 = 1 << 37
  while hi - lo > 1 {
    let middle = (lo + hi) / 2
    // middle^power <= n * 2^(32 * power)
    let value = (0..<power).reduce(UInt128(1)) { product, _ in product * UInt128(middle) }
    if value <= UInt128(n) << UInt128(32 * power) { lo = middle } else { hi = middle }
  }
  return UInt32(truncatingIfNeeded: lo)
}
