import Glibc

/// Which elements of which dimension explain why an additive measure is not what was expected
/// (R. Bhagwan et al., "Adtributor", NSDI 2014).
public enum Adtributor {
  /// One dimension's elements.
  public struct Dimension: Sendable, Equatable {
    /// (a_i - f_i) / (A - F): the share of the difference that the element makes; all add to 1. `nil` where
    /// the totals do not differ.
    public var power: [Double?]
    /// (p ln(2p/(p+q)) + q ln(2q/(p+q))) / 2 with p = f_i / F and q = a_i / A: the element's part of the
    /// Jensen-Shannon divergence, in nats; 0 where its share stayed. 0 ln 0 = 0.
    public var surprise: [Double]
    /// Their sum, 0 ... ln 2.
    public var totalSurprise: Double { surprise.reduce(0, +) }
  }

  /// `forecast` and `actual` of each element, none negative. O(elements).
  public static func dimension(forecast: [Double], actual: [Double]) -> Dimension {
    let (f, a) = (forecast.reduce(0, +), actual.reduce(0, +))
    var result = Dimension(power: [], surprise: [])
    for i in forecast.indices {
      result.power.append(a != f ? (actual[i] - forecast[i]) / (a - f) : nil)
      let p = f > 0 ? forecast[i] / f : 0
      let q = a > 0 ? actual[i] / a : 0
      func part(_ u: Double) -> Double { u > 0 ? u * log(2 * u / (p + q)) : 0 }
      result.surprise.append(0.5 * (part(p) + part(q)))
    }
    return result
  }

  /// A set of elements that explains the difference.
  public struct Explanation: Sendable, Equatable {
    /// Place of the dimension among those given.
    public var dimension: Int
    /// Places of the elements, the most surprising first.
    public var elements: [Int]
    public var power: Double
    public var surprise: Double
  }

  /// For each dimension the smallest set, most surprising elements first, whose members each carry at least
  /// `each` of the difference and together at least `together`; the sets by falling surprise, at most
  /// `most` of them. Equal surprise goes by the order given. O(elements log elements).
  public static func explain(
    _ dimensions: [(forecast: [Double], actual: [Double])], each: Double = 0.1,
    together: Double = 0.67, most: Int = 3
  ) -> [Explanation] {
    var found: [Explanation] = []
    for (place, given) in dimensions.enumerated() {
      let d = dimension(forecast: given.forecast, actual: given.actual)
      let order = d.surprise.indices.sorted {
        (-d.surprise[$0], $0) < (-d.surprise[$1], $1)
      }
      var set = Explanation(dimension: place, elements: [], power: 0, surprise: 0)
      for i in order {
        guard let power = d.power[i], power >= each else { continue }
        set.elements.append(i)
        set.power += power
        set.surprise += d.surprise[i]
        if set.power >= together {
          found.append(set)
          break
        }
      }
    }
    found.sort { (-$0.surprise, $0.dimension) < (-$1.surprise, $1.dimension) }
    return Array(found.prefix(max(0, most)))
  }
}
