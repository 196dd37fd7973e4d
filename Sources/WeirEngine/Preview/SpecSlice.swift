import WeirData

/// The part of a pipeline that lies between some stages, with stages of its own put to it: a spec that
/// the planner takes like any other.
///
/// Budgets and `ledger_by` are those of a whole run, and are left out.
struct SpecSlice {
  private let spec: CheckedSpec
  private(set) var stages: [CheckedStage] = []
  /// Index in the spec -> index here.
  private(set) var places: [Int: Int] = [:]

  /// Everything that leads to a stage.
  init(_ spec: CheckedSpec, through end: Int) {
    self.spec = spec
    let wanted = SpecSlice.above([end], spec)
    for index in wanted.sorted() { keep(index, spec.stages[index].inputs) }
  }

  /// What lies between two stages, both included; records come in at `start` from a source of their own.
  ///
  /// - Returns: `nil` where no way leads from one to the other.
  init?(
    _ spec: CheckedSpec, from start: Int, through ends: [Int],
    source: (stage: any SourceStage, options: Options)
  ) {
    self.spec = spec
    let above = SpecSlice.above(ends, spec)
    guard above.contains(start) else { return nil }
    var wanted: Set<Int> = [start]
    for index in spec.stages.indices
    where above.contains(index)
      && spec.stages[index].inputs.contains(where: { wanted.contains($0.stage) })
    {
      wanted.insert(index)
    }
    let first = spec.stages[start]
    stages.append(
      CheckedStage(
        name: "input of \(first.name)", section: .sources, type: "inputs", kind: .source,
        description: "", inputs: [], stage: source.stage, options: source.options,
        isInFragment: false,
        node: first.node, nameNode: first.nameNode))
    for index in wanted.sorted() {
      if index == start {
        keep(index, [])
        stages[stages.count - 1].inputs = [
          CheckedStage.Input(stage: 0, port: "", carries: .records, node: first.nameNode)
        ]
      } else {
        keep(index, spec.stages[index].inputs.filter { wanted.contains($0.stage) })
      }
    }
  }

  private static func above(_ ends: [Int], _ spec: CheckedSpec) -> Set<Int> {
    var wanted = Set(ends)
    for index in spec.stages.indices.reversed() where wanted.contains(index) {
      for input in spec.stages[index].inputs { wanted.insert(input.stage) }
    }
    return wanted
  }

  private mutating func keep(_ index: Int, _ inputs: [CheckedStage.Input]) {
    var stage = spec.stages[index]
    stage.inputs = inputs.map {
      CheckedStage.Input(
        stage: places[$0.stage]!, port: $0.port, carries: $0.carries, node: $0.node)
    }
    places[index] = stages.count
    stages.append(stage)
  }

  /// Puts a sink at some outputs of stages of the spec.
  ///
  /// - Parameter inputs: stages by their index in the spec, with the output and what it carries.
  mutating func add(
    _ sink: any SinkStage, named name: String, options: Options,
    inputs: [(stage: Int, port: String, carries: EdgeKind)]
  ) {
    let node = options.node
    stages.append(
      CheckedStage(
        name: name, section: .sinks, type: name, kind: .sink, description: "",
        inputs: inputs.map {
          CheckedStage.Input(
            stage: places[$0.stage]!, port: $0.port, carries: $0.carries, node: node)
        }, stage: sink, options: options, isInFragment: false, node: node, nameNode: node))
  }

  /// - Returns: `nil` where `problems` has errors.
  func plan(_ problems: inout Problems) -> Plan? {
    let checked = CheckedSpec(
      name: spec.name, description: spec.description, partition: spec.partition, ledgerFields: [],
      errorBudgets: [], params: spec.params, stages: stages, source: spec.source,
      fragments: spec.fragments,
      baseDirectory: spec.baseDirectory, zone: spec.zone)
    return Plan.make(checked, problems: &problems, secrets: spec.secrets)
  }
}

/// A stage by its name, or one of its outputs: `split.high`.
public struct StageReference: Sendable {
  /// Index into the stages of the spec.
  public let stage: Int
  /// `nil`: all outputs.
  public let port: String?

  /// What is wrong with a name.
  public struct Mistake: Error, Sendable {
    public var message: String
    public var fix: String
  }

  public init(_ text: String, in spec: CheckedSpec) throws(Mistake) {
    let bytes = Array(text.utf8)
    let dot = bytes.firstIndex(of: UInt8(ascii: ".")) ?? bytes.count
    let name = String(decoding: bytes[..<dot], as: UTF8.self)
    guard let index = spec.stages.firstIndex(where: { same($0.name, name) }) else {
      let names = spec.stages.map(\.name)
      throw Mistake(
        message: "there is no stage \(shown(name)) in \(spec.name)",
        fix: nearest(to: name, among: names).map { "\($0)" }
          ?? "the stages are \(alternatives(names, limit: 60))")
    }
    stage = index
    guard dot < bytes.count else {
      port = nil
      return
    }
    let word = String(decoding: bytes[(dot + 1)...], as: UTF8.self)
    let ports = spec.stages[index].stage.outputs.map(\.name)
    guard ports.contains(where: { same($0, word) }), !word.utf8.isEmpty else {
      let named = ports.filter { !$0.utf8.isEmpty }
      throw Mistake(
        message: "`\(name)` has no output \(shown(word))",
        fix: named.isEmpty
          ? "it has one output: write \(name)"
          : nearest(to: word, among: named).map { "\(name).\($0)" }
            ?? "its outputs are \(alternatives(named))")
    }
    port = word
  }
}
