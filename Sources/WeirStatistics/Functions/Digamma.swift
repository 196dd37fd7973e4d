import Glibc

/// Derivative of log Gamma at x > 0: asymptotic series (DLMF 5.11.2) beyond 10, recurrence below.
/// Relative error about 1e-14 away from its zero at 1.4616.
public func digamma(_ x: Double) -> Double {
  var sum = 0.0
  var x = x
  while x < 10 {
    sum -= 1 / x
    x += 1
  }
  let r = 1 / (x * x)
  let series =
    r
    * (1.0 / 12 - r
      * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132 - r * 691.0 / 32760)))))
  return sum + log(x) - 0.5 / x - series
}

/// Second derivative of log Gamma at x > 0 (DLMF 5.15.8).
public func trigamma(_ x: Double) -> Double {
  var sum = 0.0
  var x = x
  while x < 10 {
    sum += 1 / (x * x)
    x += 1
  }
  let r = 1 / (x * x)
  let series =
    1.0 / 6 - r
    * (1.0 / 30 - r * (1.0 / 42 - r * (1.0 / 30 - r * (5.0 / 66 - r * 691.0 / 2730))))
  return sum + 1 / x + 0.5 * r + series * r / x
}
