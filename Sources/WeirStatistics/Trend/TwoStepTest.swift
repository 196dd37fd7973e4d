import Glibc

/// Whether a level moved twice: up and back again, most of all. One step and one line see little of
/// that, and take what they see for memory.
///
/// The places are those of the best stretch between two ends that differs from what is around it, without
/// memory, moved to where the likelihood is largest with it. The statistic is 2 log of the mean likelihood
/// with both steps over that of one level, over the noise of ``NoiseModel``. Its tail under no change was
/// measured (docs/trends.md): one decade for each 6, from 0.05 at 11 + 2 log n on.
struct TwoStepTest {
  /// First positions of the second and the third level.
  private(set) var places: [Int] = []
  private(set) var statistic = 0.0
  private(set) var p = 1.0

  /// Above 0.05 by so much must the gain without memory be before memory is asked: p would be above 0.01.
  private static let screen = 4.0

  /// O(n) for the stretch, O(n) a place behind that.
  init(_ y: [Double], weights w: [Double], noise: NoiseModel, minSegment: Int) {
    let n = y.count
    guard n >= 3 * minSegment,
      let found = TwoStepTest.stretch(y, w, minSegment), found.left > 0
    else { return }
    let start = 11 + 2 * log(Double(n))
    guard Double(n) * log(found.whole / found.left) > start + Self.screen else { return }
    let scaled = noise.scaled(to: TwoStepTest.variance(y, [found.from, found.to]))
    let flat = noise.scaled(to: TwoStepTest.variance(y, []))
    let search = StepSearch(noise: scaled, y: y, weights: w, minSegment: minSegment)
    places = search.improved([found.from, found.to])
    statistic =
      2
      * (scaled.evidence(of: scaled.fits(stepsAt: places))
        - flat.evidence(of: flat.fits(stepsAt: [])))
    p = min(1, 0.05 * exp((start - statistic) / 6 * log(10)))
  }

  /// The stretch whose weighted mean differs most from that of all the rest, in standard errors, and the
  /// squares with and without it: among some sixty places, then among those around the best.
  private static func stretch(
    _ y: [Double], _ w: [Double], _ minSegment: Int
  ) -> (from: Int, to: Int, whole: Double, left: Double)? {
    let n = y.count
    let weight = w.reduce(0, +)
    let mean = zip(w, y).reduce(0) { $0 + $1.0 * $1.1 } / weight
    var weights = [0.0]
    var sums = [0.0]
    var square = 0.0
    for i in 0..<n {
      let d = y[i] - mean
      weights.append(weights[i] + w[i])
      sums.append(sums[i] + w[i] * d)
      square += w[i] * d * d
    }
    var (best, from, to) = (0.0, 0, 0)
    weights.withUnsafeBufferPointer { weights in
      sums.withUnsafeBufferPointer { sums in
        func look(_ start: Int, _ end: Int) {
          let inside = weights[end] - weights[start]
          let sum = sums[end] - sums[start]
          let gain = sum * sum / (inside * (weight - inside))
          if gain > best { (best, from, to) = (gain, start, end) }
        }
        let step = max(1, n / 60)
        for start in stride(from: minSegment, through: n - 2 * minSegment, by: step) {
          for end in stride(from: start + minSegment, through: n - minSegment, by: step) {
            look(start, end)
          }
        }
        guard step > 1 else { return }
        let (first, last) = (from, to)
        for start in max(minSegment, first - step)...min(n - 2 * minSegment, first + step) {
          let least = max(start + minSegment, last - step)
          for end in stride(from: least, through: min(n - minSegment, last + step), by: 1) {
            look(start, end)
          }
        }
      }
    }
    guard best > 0 else { return nil }
    return (from, to, square, square - best * weight)
  }

  /// Of the values about levels that change at `places`.
  static func variance(_ y: [Double], _ places: [Int]) -> Double {
    let starts = [0] + places
    var square = 0.0
    for (start, end) in zip(starts, places + [y.count]) {
      let mean = y[start..<end].reduce(0, +) / Double(end - start)
      square += y[start..<end].reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    return square / Double(max(1, y.count - starts.count - 1))
  }
}
