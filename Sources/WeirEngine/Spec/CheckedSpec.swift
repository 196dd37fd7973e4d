import WeirData

/// A spec that can be planned: names resolved, options checked, stages built, edges drawn.
///
/// What depends on the fields of the data (names and types in expressions) is checked by the
/// planner, which finds the place for its problems in `CheckedStage.node` and in the options.
public struct CheckedSpec: Sendable {
  public let name: String
  /// Empty where the spec has none.
  public let description: String
  /// The parameters under `partition` with their text, in the order of the spec.
  public let partition: [(name: String, text: String)]
  /// The fields of `ledger_by`, with the place of each.
  let ledgerFields: [(path: FieldPath, node: SpecNode)]
  /// Those of the run first, then those of its stages in their order.
  public let errorBudgets: [ErrorBudget]
  public let params: ResolvedParams
  /// A stage comes after its inputs; otherwise in the order of the file.
  public let stages: [CheckedStage]
  public let source: SpecSource
  /// The files that it includes, in the order in which they are.
  public let fragments: [SpecSource]
  /// The directory of the spec's file as it was named, against which its paths are read.
  public let baseDirectory: String
  /// The zone that days are counted in; `nil`: UTC.
  let zone: SpecNode?
  /// What a plan of it does where a stage names a secret.
  var secrets = SecretUse.required

  public var ledgerBy: [FieldPath] { ledgerFields.map(\.path) }
  public var specBytes: [UInt8] { fragments.reduce(source.bytes) { $0 + $1.bytes } }
}

/// One declaration of a stage.
public struct CheckedStage: Sendable {
  /// An edge: which output of which stage.
  public struct Input: Sendable {
    /// Index into `CheckedSpec.stages`, smaller than the consumer's own.
    public let stage: Int
    /// `""` is the default output.
    public let port: String
    public let carries: EdgeKind
    /// The string in `inputs`.
    public let node: SpecNode
  }

  public let name: String
  public let section: SpecSection
  public let type: String
  public let kind: StageKind
  /// Empty where the declaration has none.
  public let description: String
  /// In the order of `inputs`.
  public internal(set) var inputs: [Input]
  public let stage: any Stage
  public let options: Options
  /// Then its parameters are not those of the spec.
  let isInFragment: Bool
  /// The whole declaration.
  public let node: SpecNode
  /// The name, to point at.
  public let nameNode: SpecNode
}
