import Glibc

/// Counts of values in bins of equal relative width, for quantiles with 1 % relative error.
///
/// C. Masson, J. Rim, H. Lee, "DDSketch" (VLDB 2019): bin i holds (gamma^(i-1), gamma^i] with
/// gamma = (1 + a)/(1 - a), a = 0.01. Bins are never collapsed, so that states merge to the same one
/// in any order; their number grows with the logarithm of the range, 115 bins a factor of ten.
/// Negative values have bins of their own, 0 (and |x| < 1e-300) is counted apart. Count, smallest and
/// largest value are exact. NaN and infinities must not be added; they are refused.
public struct DDSketch: Sendable, Equatable {
  public static let relativeAccuracy = 0.01
  static let gamma = (1 + relativeAccuracy) / (1 - relativeAccuracy)
  private static let logGammaOfBins = log(gamma)
  static let smallest = 1e-300
  private static let version: UInt8 = 1

  private var positive = Bins()
  private var negative = Bins()
  private var zeros: UInt64 = 0
  public private(set) var count: UInt64 = 0
  /// Smallest and largest value added; `nil` when empty.
  public private(set) var min: Double?
  public private(set) var max: Double?

  public init() {}

  /// Adds a value `times` times. Answers false, and adds nothing, for NaN and infinities.
  @discardableResult
  public mutating func add(_ value: Double, times: UInt64 = 1) -> Bool {
    guard value.isFinite else { return false }
    guard times > 0 else { return true }
    if value >= Self.smallest {
      positive.add(Self.bin(of: value), times)
    } else if value <= -Self.smallest {
      negative.add(Self.bin(of: -value), times)
    } else {
      zeros += times
    }
    count += times
    min = Swift.min(min ?? value, value)
    max = Swift.max(max ?? value, value)
    return true
  }

  public mutating func merge(_ other: DDSketch) {
    positive.merge(other.positive)
    negative.merge(other.negative)
    zeros += other.zeros
    count += other.count
    if let value = other.min { min = Swift.min(min ?? value, value) }
    if let value = other.max { max = Swift.max(max ?? value, value) }
  }

  /// The value at rank floor(q (count - 1)), counted from the smallest (0-based), to 1 %: the middle
  /// 2 gamma^i / (gamma + 1) of its bin, kept within the smallest and largest value.
  /// 0 <= q <= 1; `nil` when empty. O(bins).
  public func quantile(_ q: Double) -> Double? {
    guard count > 0, let min, let max else { return nil }
    let place = Swift.min(1, Swift.max(0, q)) * Double(count - 1)
    let rank = Swift.min(count - 1, UInt64(place.rounded(.down)))
    if rank == 0 { return min }
    if rank == count - 1 { return max }
    return Swift.min(max, Swift.max(min, value(atRank: rank)))
  }

  /// Variance of the q-quantile as an estimate, from its order statistics: the quantiles at
  /// q -+ sqrt(q (1-q)/n) lie about two standard errors apart. The rounding to bins (uniform within
  /// 1 %) is added, so that it is never 0 for a value other than 0. `nil` for fewer than 2 values.
  public func quantileVariance(_ q: Double) -> Double? {
    guard count > 1, let centre = quantile(q) else { return nil }
    let reach = (q * (1 - q) / Double(count)).squareRoot()
    guard let lo = quantile(q - reach), let hi = quantile(q + reach) else { return nil }
    let error = (hi - lo) / 2
    let rounding = Self.relativeAccuracy * centre
    return error * error + rounding * rounding / 3
  }

  private func value(atRank rank: UInt64) -> Double {
    var left = rank
    if left < negative.total {
      return -Self.middle(negative.bin(atRank: negative.total - 1 - left))
    }
    left -= negative.total
    if left < zeros { return 0 }
    left -= zeros
    return Self.middle(positive.bin(atRank: left))
  }

  private static func bin(of value: Double) -> Int {
    Int((log(value) / logGammaOfBins).rounded(.up))
  }

  private static func middle(_ bin: Int) -> Double {
    2 * exp(Double(bin) * logGammaOfBins) / (gamma + 1)
  }

  /// The state as bytes: the same for the same values, whatever the order of adding and merging.
  /// Version, count, zeros, min, max, then both sets of bins as ascending (step, count) pairs.
  public func encode() -> [UInt8] {
    var out = ByteWriter()
    out.byte(Self.version)
    out.varint(count)
    guard let min, let max else { return out.bytes }
    out.varint(zeros)
    out.double(min)
    out.double(max)
    negative.encode(into: &out)
    positive.encode(into: &out)
    return out.bytes
  }

  /// `nil` for bytes that ``encode()`` cannot have written.
  public init?(decoding bytes: [UInt8]) {
    var input = ByteReader(bytes)
    guard input.byte() == Self.version, let count = input.varint() else { return nil }
    if count > 0 {
      guard let zeros = input.varint(), let min = input.double(), let max = input.double(),
        min.isFinite, max.isFinite, min <= max, let negative = Bins(decoding: &input),
        let positive = Bins(decoding: &input)
      else { return nil }
      let (some, over1) = negative.total.addingReportingOverflow(positive.total)
      let (sum, over2) = some.addingReportingOverflow(zeros)
      guard !over1, !over2, sum == count else { return nil }
      (self.zeros, self.min, self.max) = (zeros, min, max)
      (self.negative, self.positive) = (negative, positive)
    }
    guard input.isAtEnd else { return nil }
    self.count = count
  }
}

/// Counts by bin, dense between the lowest and the highest bin used.
private struct Bins: Sendable, Equatable {
  private var lowest = 0
  private var counts: [UInt64] = []
  private(set) var total: UInt64 = 0

  init() {}

  mutating func add(_ bin: Int, _ times: UInt64) {
    if counts.isEmpty {
      lowest = bin
      counts = [times]
    } else if bin < lowest {
      counts.insert(contentsOf: repeatElement(0, count: lowest - bin), at: 0)
      lowest = bin
      counts[0] = times
    } else if bin - lowest >= counts.count {
      counts.append(contentsOf: repeatElement(0, count: bin - lowest - counts.count + 1))
      counts[bin - lowest] = times
    } else {
      counts[bin - lowest] += times
    }
    total += times
  }

  mutating func merge(_ other: Bins) {
    for (i, times) in other.counts.enumerated() where times > 0 { add(other.lowest + i, times) }
  }

  /// The bin of the value at a 0-based rank below ``total``.
  func bin(atRank rank: UInt64) -> Int {
    var below: UInt64 = 0
    for (i, times) in counts.enumerated() {
      below += times
      if below > rank { return lowest + i }
    }
    return lowest + Swift.max(0, counts.count - 1)
  }

  func encode(into out: inout ByteWriter) {
    let used = counts.indices.filter { counts[$0] > 0 }
    out.varint(UInt64(used.count))
    var last = 0
    for i in used {
      out.signed(lowest + i - last)
      out.varint(counts[i])
      last = lowest + i
    }
  }

  init?(decoding input: inout ByteReader) {
    // No finite double lies beyond these bins.
    let limit = 40_000
    guard let used = input.varint(), used <= UInt64(2 * limit) else { return nil }
    var last = 0
    for i in 0..<used {
      guard let step = input.signed(), let times = input.varint(), times > 0,
        step > -2 * limit - 1, step < 2 * limit + 1, i == 0 || step > 0,
        abs(last + step) <= limit
      else { return nil }
      let (sum, over) = total.addingReportingOverflow(times)
      guard !over else { return nil }
      last += step
      add(last, times)
      total = sum
    }
  }
}
