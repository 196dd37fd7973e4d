/// Logarithm and exponential that give the same bits on every machine: additions,
/// multiplications and divisions of doubles only, which IEEE 754 rounds in one way. A C library
/// may choose another routine for another processor.

/// The natural logarithm of a positive, normal `x`; within a few units in the last place.
///
/// x = m 2^e with m in [sqrt(1/2), sqrt(2)), and ln m = 2 atanh(s), s = (m - 1) / (m + 1).
func portableLog(_ x: Double) -> Double {
  var exponent = Double(x.exponent)
  var m = x.significand
  if m > 1.4142135623730951 {
    m /= 2
    exponent += 1
  }
  let s = (m - 1) / (m + 1)
  let square = s * s
  // |s| < 0.1716: the first term left out is below 2^-58 of the first.
  var series = 0.0
  var odd = 23.0
  while odd >= 1 {
    series = series * square + 1 / odd
    odd -= 2
  }
  return exponent * 0.6931471805599453 + 2 * s * series
}

/// e to the power `x`, for |x| < 700; within a few units in the last place.
///
/// x = k ln 2 + r with |r| <= 0.35, and the Taylor series for r.
func portableExp(_ x: Double) -> Double {
  let k = (x * 1.4426950408889634).rounded()
  // ln 2 in two parts, the first with enough zeros at its end that k times it is exact.
  let r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
  var sum = 1.0
  var term = 14.0
  while term >= 1 {
    sum = 1 + sum * r / term
    term -= 1
  }
  return Double(sign: .plus, exponent: Int(k), significand: sum)
}
