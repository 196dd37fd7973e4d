import Glibc

/// Which values of one field carry the change of a series between two periods.
///
/// Rates and means are taken apart into what the values did and what their mix did (see ``RateMix``); of
/// counts each value's share of the difference is what it carries. A field stands out when the make-up
/// of the events changed by more than chance and few of its values explain most of the change.
public struct SegmentExplanation: Sendable, Equatable {
  /// One value of the field in both periods.
  public struct Segment: Sendable, Equatable {
    public var n0: Double
    public var k0: Double
    public var n1: Double
    public var k1: Double

    public init(n0: Double, k0: Double, n1: Double, k1: Double) {
      self.n0 = n0
      self.k0 = k0
      self.n1 = n1
      self.k1 = k1
    }
  }

  public struct Part: Sendable, Equatable {
    /// Place among the segments given.
    public var segment: Int
    /// In units of the series; of counts the whole contribution is rate effect.
    public var rateEffect: Double
    public var mixEffect: Double
    /// Share of the whole change: all parts add up to 1.
    public var power: Double
    /// Part of the Jensen-Shannon divergence between the make-ups of the events, in nats.
    public var surprise: Double
    /// Benjamini-Hochberg adjusted p that the segment's own rate (of counts: its number) changed; `nil`
    /// with fewer than 30 records in a period.
    public var q: Double?
  }

  public var change: Double
  public var rateEffect: Double
  public var mixEffect: Double
  /// Every segment moved against the whole.
  public var isReversed: Bool
  /// The largest contribution first.
  public var parts: [Part]
  /// p that the make-up of the events is the same in both periods (G test; 1 of means).
  public var p: Double
  /// How many of ``parts``, in the direction of the change, together explain 67 % of it, each at least
  /// 10 %; `nil` where they do not.
  public var carriers: Int?

  public static let fewestRecords = 30.0
  static let together = 0.67
  static let each = 0.10

  /// - Parameters:
  ///   - kind: `count`, `rate` or `mean` (k: the sum of the values); `nil` comes back for others, for
  ///     fewer than two segments with records, and where nothing changed.
  ///   - size0: buckets (by exposure) of the first period, for counts.
  ///   - dispersion: variance over that of independent events, at least 1: days differ by more.
  public init?(
    _ segments: [Segment], kind: MetricKind, size0: Double, size1: Double, dispersion: Double = 1
  ) {
    guard kind == .count || kind == .rate || kind == .mean, size0 > 0, size1 > 0 else { return nil }
    guard segments.count(where: { $0.n0 + $0.n1 > 0 }) >= 2 else { return nil }
    var rates: [Double]
    var mixes: [Double]
    if kind == .count {
      rates = segments.map { $0.k1 / size1 - $0.k0 / size0 }
      mixes = [Double](repeating: 0, count: segments.count)
      change = rates.reduce(0, +)
      isReversed = false
    } else {
      let mix = RateMix(
        n0: segments.map(\.n0), k0: segments.map(\.k0), n1: segments.map(\.n1),
        k1: segments.map(\.k1))
      rates = mix.rateEffect
      mixes = mix.mixEffect
      change = mix.change
      isReversed = mix.isReversed
    }
    guard change != 0, change.isFinite else { return nil }
    rateEffect = rates.reduce(0, +)
    mixEffect = mixes.reduce(0, +)
    // The second period's make-up against that of the first.
    let scale: Double
    if kind == .count {
      scale = size1 / size0
    } else {
      let (all0, all1) = (
        segments.reduce(0) { $0 + $1.n0 }, segments.reduce(0) { $0 + $1.n1 }
      )
      guard all0 > 0, all1 > 0 else { return nil }
      scale = all1 / all0
    }
    let surprise: [Double]
    if kind == .mean {
      surprise = [Double](repeating: 0, count: segments.count)
      p = 1
    } else {
      surprise =
        Adtributor.dimension(
          forecast: segments.map { $0.k0 * scale }, actual: segments.map(\.k1)
        ).surprise
      p = Self.sameMakeUp(segments, dispersion: max(1, dispersion))
    }
    let adjusted = Self.ownChanges(
      segments, kind, size0: size0, size1: size1, dispersion: max(1, dispersion))
    let change = change
    var parts = segments.indices.map {
      Part(
        segment: $0, rateEffect: rates[$0], mixEffect: mixes[$0],
        power: (rates[$0] + mixes[$0]) / change, surprise: surprise[$0], q: adjusted[$0])
    }
    parts.sort { ($1.power, $0.segment) < ($0.power, $1.segment) }
    self.parts = parts
    var sum = 0.0
    for (i, part) in parts.enumerated() {
      guard part.power >= Self.each else { break }
      sum += part.power
      if sum >= Self.together {
        carriers = i + 1
        break
      }
    }
  }

  /// G test of the 2 x segments table of events over its dispersion.
  private static func sameMakeUp(_ segments: [Segment], dispersion: Double) -> Double {
    let (all0, all1) = (segments.reduce(0) { $0 + $1.k0 }, segments.reduce(0) { $0 + $1.k1 })
    guard all0 > 0, all1 > 0 else { return 1 }
    var g = 0.0
    var used = 0
    for s in segments where s.k0 + s.k1 > 0 {
      used += 1
      for (seen, all) in [(s.k0, all0), (s.k1, all1)] where seen > 0 {
        g += 2 * seen * log(seen * (all0 + all1) / (all * (s.k0 + s.k1)))
      }
    }
    guard used >= 2 else { return 1 }
    return ChiSquare.sf(max(0, g) / dispersion, df: Double(used - 1))
  }

  /// Adjusted p of each segment's own change.
  private static func ownChanges(
    _ segments: [Segment], _ kind: MetricKind, size0: Double, size1: Double, dispersion: Double
  ) -> [Double?] {
    var places: [Int] = []
    var p: [Double] = []
    for (i, s) in segments.enumerated() where kind != .mean {
      let enough = kind == .rate ? min(s.n0, s.n1) : s.k0 + s.k1
      guard enough >= fewestRecords else { continue }
      let (r0, r1, variance): (Double, Double, Double)
      if kind == .rate {
        let pooled = (s.k0 + s.k1) / (s.n0 + s.n1)
        (r0, r1) = (s.k0 / s.n0, s.k1 / s.n1)
        variance = pooled * (1 - pooled) * (1 / s.n0 + 1 / s.n1)
      } else {
        let pooled = (s.k0 + s.k1) / (size0 + size1)
        (r0, r1) = (s.k0 / size0, s.k1 / size1)
        variance = pooled * (1 / size0 + 1 / size1)
      }
      places.append(i)
      p.append(
        variance > 0
          ? min(1, 2 * Normal.sf(abs(r1 - r0) / (variance * dispersion).squareRoot())) : 1)
    }
    var result = [Double?](repeating: nil, count: segments.count)
    for (i, q) in zip(places, MultipleTesting.benjaminiHochberg(p)) { result[i] = q }
    return result
  }
}
