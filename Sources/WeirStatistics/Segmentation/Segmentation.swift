/// A series cut into stretches.
public struct Segments: Sendable, Equatable {
  /// One past the last value of each stretch; the last is the number of values. Empty for no values.
  public var ends: [Int]
  /// Sum of the costs, and for ``Segmentation/penalized(_:penalty:minSize:)`` the penalty times the
  /// number of changes.
  public var objective: Double

  /// First values of the stretches after the first one.
  public var changes: [Int] { Array(ends.dropLast()) }

  public init(ends: [Int], objective: Double) {
    self.ends = ends
    self.objective = objective
  }
}

/// Cuts a series into stretches of at least `minSize` values that one model each describes best.
///
/// All places are tried (`jump` of 1 in the words of `ruptures`). Of equally good answers the one
/// whose last stretches start earliest is given. A series too short for a cut is one stretch.
public enum Segmentation {
  /// The cuts that minimise the sum of costs + `penalty` times the number of cuts, exactly, by PELT
  /// (R. Killick, P. Fearnhead, I. Eckley, JASA 107, 2012).
  ///
  /// A place is only given up once a later one beats it for every end that keeps the minimal length,
  /// so that the answer is that of the full dynamic programme with `minSize` too. O(n) evaluations of
  /// the cost where changes keep coming, O(n^2) where there are none. `penalty` >= 0.
  public static func penalized(
    _ cost: SegmentCost, penalty: Double, minSize: Int = 1
  ) -> Segments {
    cost.apply(Pelt(penalty: penalty, minSize: minSize))
  }

  /// The best cuts for each number of changes 0 ... `changes`, exactly (Bellman's dynamic programme;
  /// "dynp" of `ruptures`). Shorter where the series has no room for that many stretches.
  ///
  /// O(changes n^2) evaluations and comparisons, O(changes n) memory.
  public static func exact(
    _ cost: SegmentCost, upTo changes: Int, minSize: Int = 1
  ) -> [Segments] {
    cost.apply(DynamicProgramme(changes: changes, minSize: minSize))
  }

  /// `changes` cuts, each where it lowers the cost most given those before (A. Scott and M. Knott
  /// 1974); fewer where there is no room. Fast, O(changes n), but not the best ones.
  public static func binary(_ cost: SegmentCost, changes: Int, minSize: Int = 1) -> Segments {
    cost.apply(BinarySegmentation(changes: changes, minSize: minSize))
  }
}
