/// A stage type: its manual, and how one declaration in a spec becomes a value.
///
/// `init` gets options that are already checked against the manual. It checks what the manual
/// cannot say, adds problems at the nodes of the options, and returns `nil` only after it has
/// added one. It reads no file and starts nothing.
public protocol Stage: Sendable {
  static var manual: StageManual { get }

  init?(_ options: Options, _ problems: inout Problems)

  /// The outputs of this declaration; those of the manual unless they depend on options.
  var outputs: [PortSpec] { get }

  /// The kind of this declaration; that of the manual unless it depends on options, and always of the
  /// same section.
  var kind: StageKind { get }

  /// What is too much of what it counts, see ``BoundMap/checks``.
  var checkLimits: [CheckLimit] { get }
}

/// How many records may fail one rule of a stage.
public struct CheckLimit: Sendable {
  /// Place of the rule in ``BoundMap/checks``.
  public var check: Int
  public var name: String
  /// The largest share of the records that the stage takes in, 0 to 1.
  public var rate: Double?
  public var count: Int?
  /// The rate is not held against fewer records than this.
  public var minRecords: Int
  public var onExceeded: ErrorBudget.Consequence

  public init(
    check: Int, name: String, rate: Double?, count: Int?, minRecords: Int,
    onExceeded: ErrorBudget.Consequence
  ) {
    self.check = check
    self.name = name
    self.rate = rate
    self.count = count
    self.minRecords = minRecords
    self.onExceeded = onExceeded
  }
}

extension Stage {
  public var kind: StageKind { Self.manual.kind }
  public var checkLimits: [CheckLimit] { [] }
  public var outputs: [PortSpec] { Self.manual.outputs }
}
