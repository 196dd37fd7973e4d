/// What a series was taken for when it was tested.
public struct FindingModel: Sendable {
  public enum Label: String, Sendable {
    /// One level all along.
    case level
    case line
    /// One change of the level, or several.
    case step, steps
    /// Two pooled halves of a history that is too short or too thin for more.
    case halves
  }

  /// What was taken out before single days were looked at, or what is reported.
  public var label: Label
  /// `log`, `logit` (log odds) or `identity`: where changes add up.
  public var scale: String
  /// How much likelier than one level the days become under memory; `nil` where nothing moved, and for blocks
  /// of seven days.
  public var fit: Fit?
  /// `nil` where no weekdays were taken out.
  public var season: Season?

  /// Each is twice the gain in the log of the mean likelihood, no price taken off, under the noise that the
  /// better of line and step leaves.
  public struct Fit: Sendable, Equatable {
    public var line: Double
    public var step: Double
    /// `nil` where more than one step was not believed.
    public var steps: Double?
  }

  public struct Season: Sendable, Equatable {
    /// max(0, 1 - var(R) / var(S + R)) of what lies off the running median: S by weekday, R the rest.
    public var strength: Double
    /// How far each weekday lies off the mean of all, Monday first, on the scale, as it is now.
    public var profile: [Double]
    /// The same before it changed; `nil` where it did not.
    public var before: [Double]?
  }
}

extension SeriesAnalysis {
  func model(as structure: Structure.Label?) -> FindingModel {
    let label: FindingModel.Label =
      switch structure {
      case .trend: .line
      case .shift: self.structure?.earlier.isEmpty == false ? .steps : .step
      case nil: halves == nil ? .level : .halves
      }
    return FindingModel(
      label: label, scale: compared.scale.rawValue, fit: self.structure?.fit,
      season: profile.season)
  }
}

extension WeekdayProfile {
  fileprivate var season: FindingModel.Season? {
    guard let parts, parameters > 0 else { return nil }
    var (rest, whole) = ((n: 0.0, sum: 0.0, square: 0.0), (n: 0.0, sum: 0.0, square: 0.0))
    func add(_ x: Double, to s: inout (n: Double, sum: Double, square: Double)) {
      s = (s.n + 1, s.sum + x, s.square + x * x)
    }
    for i in parts.isIn.indices where parts.isIn[i] {
      add(parts.residual[i], to: &whole)
      add(parts.residual[i] - parts.raw[parts.group[i]], to: &rest)
    }
    func variance(_ s: (n: Double, sum: Double, square: Double)) -> Double {
      s.square - s.sum * s.sum / max(1, s.n)
    }
    let all = variance(whole)
    return FindingModel.Season(
      strength: all > 0 ? max(0, 1 - variance(rest) / all) : 0, profile: later ?? offset,
      before: later == nil ? nil : offset)
  }
}
