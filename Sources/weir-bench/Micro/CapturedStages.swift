import Synchronization
import WeirEngine
import WeirExpressions
import WeirStages

/// What the planner bound of a spec: how a benchmark gets at the parts of a plan, which are nobody's
/// business else.
struct BoundParts: Sendable {
  var source: (any BoundSource)?
  var map: (any BoundMap)?
  /// Behind the map.
  var fields: [ExpressionScope.Field] = []
  var reduce: (any BoundReduce)?

  /// Stages are made by the planner from their types, so that what they hand on goes through here.
  fileprivate static let captured = Mutex(BoundParts())

  /// Binds a spec whose stages are a source, a `normalize` and an `aggregate`.
  ///
  /// - Throws: ``MicroError`` with the problems of the spec.
  static func bind(_ spec: String) throws -> BoundParts {
    captured.withLock { $0 = BoundParts() }
    _ = try makePlan(spec, file: "micro.json", registry: .capturing)
    return captured.withLock { $0 }
  }
}

/// Why a part cannot be measured.
struct MicroError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

extension StageRegistry {
  /// The stages that Weir ships, of which those measured here leave what was bound in
  /// ``BoundParts``.
  fileprivate static let capturing = StageRegistry([
    CapturedSource.self, CapturedMap.self, CapturedReduce.self, CSVSink.self,
  ])
}

private struct CapturedSource: SourceStage {
  static let findingOptions: [String] = []
  static let manual = JSONLSource.manual
  let stage: JSONLSource

  init?(_ options: Options, _ problems: inout Problems) {
    guard let stage = JSONLSource(options, &problems) else { return nil }
    self.stage = stage
  }

  func bind(_ context: BindContext, _ problems: inout Problems) -> (any BoundSource)? {
    let bound = stage.bind(context, &problems)
    BoundParts.captured.withLock { $0.source = bound }
    return bound
  }
}

private struct CapturedMap: MapStage {
  static let manual = Normalize.manual
  let stage: Normalize

  init?(_ options: Options, _ problems: inout Problems) {
    guard let stage = Normalize(options, &problems) else { return nil }
    self.stage = stage
  }

  func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let bound = stage.bind(&scope, context, &problems)
    let fields = scope.fields.map {
      ExpressionScope.Field(path: $0.path, type: $0.type, column: $0.column)
    }
    BoundParts.captured.withLock {
      $0.map = bound
      $0.fields = fields
    }
    return bound
  }
}

private struct CapturedReduce: ReduceStage {
  static let manual = Aggregate.manual
  let stage: Aggregate

  init?(_ options: Options, _ problems: inout Problems) {
    guard let stage = Aggregate(options, &problems) else { return nil }
    self.stage = stage
  }

  func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundReduce)? {
    let bound = stage.bind(scope, context, &problems)
    BoundParts.captured.withLock { $0.reduce = bound }
    return bound
  }

  func makeMerger(_ instances: [any BoundReduce]) -> any ReduceMerger {
    stage.makeMerger(instances)
  }
}
