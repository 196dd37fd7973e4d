import Glibc

/// Local regression over equally spaced values: places 1, 2, ... n, as in the netlib STL of
/// Cleveland et al. (1990), whose arithmetic of windows at the ends and of `jump` this follows.
///
/// Tricube weights over the `length` nearest places; a window longer than the series widens by half
/// of what is missing. `degree` 0 is a local mean, 1 a local line. With `jump` > 1 every jump-th place
/// is fitted and the others lie on straight lines between. O(n length / jump).
struct Loess {
  var length: Int
  var degree: Int
  var jump: Int

  /// Kernel values by distance -reach ... reach, one row a bandwidth from `lowest` on; the rows a series
  /// needs are made once.
  private var kernel: [Double] = []
  private var row = 0
  private var reach = 0
  private var lowest = 0
  /// Sum of the weights about a place in the middle.
  private var middle = 0.0

  init(length: Int, degree: Int, jump: Int, longest n: Int) {
    self.length = length
    self.degree = degree
    self.jump = jump
    prepare(n)
  }

  /// Bandwidths go from half the window in the middle to the whole of it just beyond the ends. Windows
  /// of more than some hundred places are computed as they come.
  private mutating func prepare(_ n: Int) {
    let reach = min(length, n)
    let extra = max(0, length - n) / 2
    lowest = max(0, (reach - 1) / 2) + extra
    let rows = reach + extra - lowest + 1
    guard reach > 0, rows * (2 * reach + 1) <= 1 << 16 else { return }
    row = 2 * reach + 1
    self.reach = reach
    kernel = [Double](unsafeUninitializedCapacity: rows * row) { buffer, used in
      for i in 0..<rows {
        for d in -reach...reach {
          buffer[i * row + reach + d] = Self.tricube(Double(abs(d)), Double(lowest + i))
        }
      }
      used = rows * row
    }
    if length <= n {
      for d in -lowest...lowest { middle += kernel[reach + d] }
    }
  }

  /// (1 - (r/h)^3)^3; 1 below a thousandth of h, 0 from 0.999 h on.
  @inline(__always)
  private static func tricube(_ r: Double, _ h: Double) -> Double {
    if r > 0.999 * h { return 0 }
    if r <= 0.001 * h { return 1 }
    let u = r / h
    let v = 1 - u * u * u
    return v * v * v
  }

  /// The fit at place `x` (1 is the first; 0 and n + 1 are beyond the ends) from the places `left` ...
  /// `right`; `nil` where they have no weight.
  func at(
    _ x: Int, left: Int, right: Int, _ y: UnsafePointer<Double>, count n: Int,
    weights: UnsafePointer<Double>?
  ) -> Double? {
    var h = max(x - left, right - x)
    if length > n { h += (length - n) / 2 }
    // Moments about x: of the weights, of the distances, and of the values.
    var (s0, s1, s2, t0, t1) = (0.0, 0.0, 0.0, 0.0, 0.0)
    @inline(__always)
    func add(_ w: Double, _ d: Double, _ value: Double) {
      let wd = w * d
      s0 += w
      s1 += wd
      s2 += wd * d
      t0 += w * value
      t1 += wd * value
    }
    var d = Double(left - x)
    if weights == nil, length <= n, x - left == right - x, h == lowest, row > 0 {
      // About the middle a line says what a mean says, and the weights add to the same everywhere.
      return kernel.withUnsafeBufferPointer { all in
        guard let start = all.baseAddress else { return nil }
        let k = start + (reach - x)
        var sum = 0.0
        for j in left...right { sum += k[j] * y[j &- 1] }
        return sum / middle
      }
    }
    if row > 0, h >= lowest, (h - lowest + 1) * row <= kernel.count {
      kernel.withUnsafeBufferPointer { all in
        guard let start = all.baseAddress else { return }
        let k = start + ((h - lowest) * row + reach - x)
        if let weights {
          for j in left...right {
            add(k[j] * weights[j &- 1], d, y[j &- 1])
            d += 1
          }
        } else {
          for j in left...right {
            add(k[j], d, y[j &- 1])
            d += 1
          }
        }
      }
    } else {
      for j in left...right {
        add(Self.tricube(abs(d), Double(h)) * (weights?[j - 1] ?? 1), d, y[j - 1])
        d += 1
      }
    }
    guard s0 > 0 else { return nil }
    let level = t0 / s0
    guard h > 0, degree > 0 else { return level }
    let mean = s1 / s0
    let variance = s2 / s0 - mean * mean
    // Places (nearly) all at one point carry no slope.
    guard variance > 0, variance.squareRoot() > 0.001 * Double(n - 1) else { return level }
    return level - mean / variance * (t1 / s0 - mean * level)
  }

  /// The smoothed values of places 1 ... n into `out`.
  func smooth(
    _ y: UnsafePointer<Double>, count n: Int, weights: UnsafePointer<Double>?,
    into out: UnsafeMutablePointer<Double>
  ) {
    guard n >= 2 else {
      if n == 1 { out[0] = y[0] }
      return
    }
    let step = min(jump, n - 1)
    var (left, right) = (1, min(length, n))
    let half = step == 1 ? (length + 2) / 2 : (length + 1) / 2
    var place = 1
    while place <= n {
      if length < n {
        if step == 1 {
          if place > half, right != n {
            left += 1
            right += 1
          }
        } else if place < half {
          (left, right) = (1, length)
        } else if place >= n - half + 1 {
          (left, right) = (n - length + 1, n)
        } else {
          (left, right) = (place - half + 1, length + place - half)
        }
      }
      out[place - 1] =
        at(place, left: left, right: right, y, count: n, weights: weights) ?? y[place - 1]
      place += step
    }
    guard step > 1 else { return }
    place = 1
    while place + step <= n {
      let rise = (out[place + step - 1] - out[place - 1]) / Double(step)
      for j in 1..<step { out[place - 1 + j] = out[place - 1] + rise * Double(j) }
      place += step
    }
    let reached = (n - 1) / step * step + 1
    guard reached != n else { return }
    out[n - 1] = at(n, left: left, right: right, y, count: n, weights: weights) ?? y[n - 1]
    let rise = (out[n - 1] - out[reached - 1]) / Double(n - reached)
    for j in stride(from: 1, to: n - reached, by: 1) {
      out[reached - 1 + j] = out[reached - 1] + rise * Double(j)
    }
  }
}
