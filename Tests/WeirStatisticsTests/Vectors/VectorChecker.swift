import Testing

/// Compares values with a file's tolerance; one method a file, in the files beside this one.
struct VectorChecker {
  var relative: Double
  var absolute: Double
  let file: VectorFile
  let record = VectorRecord()

  init(_ file: VectorFile) {
    self.file = file
    relative = file.relative
    absolute = file.absolute
  }

  func same(_ got: Double?, _ want: Double?, _ what: @autoclosure () -> String) {
    guard let got, let want else {
      #expect(got == nil && want == nil, "\(what()): got \(got as Any), want \(want as Any)")
      return
    }
    if got == want {
      record.add(error: 0)
      return
    }
    let distance = abs(got - want)
    let isSame = distance <= absolute + relative * abs(want)
    #expect(isSame, "\(what()): got \(got), want \(want)")
    // Near zero the absolute tolerance counts: there the error is relative to the value at which both
    // tolerances are the same.
    record.add(error: distance / max(abs(want), absolute / relative))
  }

  func same(_ got: [Double?], _ want: [Double?], _ what: @autoclosure () -> String) {
    #expect(got.count == want.count, "\(what()): \(got.count) values, want \(want.count)")
    for (i, pair) in zip(got, want).enumerated() { same(pair.0, pair.1, "\(what())[\(i)]") }
  }

  func same(_ got: (lo: Double, hi: Double), _ want: [Double?], _ what: @autoclosure () -> String) {
    same([got.lo, got.hi], want, what())
  }

  /// Whole numbers, truths and lists of them: no tolerance.
  func equal<T: Equatable>(_ got: T, _ want: T, _ what: @autoclosure () -> String) {
    #expect(got == want, "\(what())")
    record.add(error: 0)
  }

  /// The same checks with other tolerances.
  func with(relative: Double, absolute: Double? = nil) -> VectorChecker {
    var other = self
    other.relative = relative
    other.absolute = absolute ?? self.absolute
    return other
  }
}

/// What a file's checks came to.
final class VectorRecord: CustomStringConvertible {
  private(set) var compared = 0
  private(set) var worst = 0.0

  func add(error: Double) {
    compared += 1
    worst = max(worst, error)
  }

  var description: String { "\(compared) values, largest relative error \(worst)" }
}
