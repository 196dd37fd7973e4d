import WeirData

/// What a run will do: the stages of a spec bound to the fields of their input, as one tree of nodes
/// for each source.
///
/// A *lane* is a source with everything that its records flow through. Where a stage is reached in two
/// ways it has two nodes (instances), each bound to the fields that arrive that way. A stage's *depth*
/// is the longest chain of barriers above it, and that is the pass in which its nodes work: pass 0
/// reads the shards; pass d goes over the records again with the barriers of depth < d decided.
public struct Plan: Sendable {
  public let spec: CheckedSpec
  let lanes: [Lane]
  let barriers: [BarrierPlan]
  let reduces: [ReducePlan]
  /// Sinks of rows and findings, by stage index.
  let resultSinks: [Int]
  let passCount: Int
  /// SHA-256 of the resolved spec, of the files that it names, and of the version.
  public let hash: [UInt8]
  /// Files that options name, with their SHA-256.
  public let referencedFiles: [(path: String, sha256: [UInt8])]

  func stage(_ index: Int) -> CheckedStage { spec.stages[index] }
}

/// Shared by all tasks, so a reference: a copy of it for each shard would cost more than small shards do.
final class Lane: Sendable {
  /// Index of the source stage.
  let stage: Int
  let source: any BoundSource
  /// A node comes after its parent.
  let nodes: [Node]
  /// Nodes that read the source itself.
  let roots: [Int]
  let columnCount: Int
  /// Columns with the `ledger_by` values: for each field the candidates, the latest edit last.
  let ledgerColumns: [[Int]]

  /// What a pass needs of this lane.
  enum Reading: Sendable {
    /// No node works in this pass.
    case none
    /// The text of the records: the shard is read.
    case shard
    /// Only the columns that pass 0 kept.
    case retained
  }
  let readings: [Reading]
  /// First barrier of its way -> columns to keep when it collects.
  let retained: [Int: [Int]]
  /// Those barriers of ``retained`` below which a stage asks where its records begin in the shard.
  let retainsOffsets: Set<Int>
  /// Node -> the passes in which it or something below it works.
  let activePasses: [Set<Int>]

  init(
    stage: Int, source: any BoundSource, nodes: [Node], roots: [Int], columnCount: Int,
    ledgerColumns: [[Int]], readings: [Reading], retained: [Int: [Int]],
    retainsOffsets: Set<Int>, activePasses: [Set<Int>]
  ) {
    self.stage = stage
    self.source = source
    self.nodes = nodes
    self.roots = roots
    self.columnCount = columnCount
    self.ledgerColumns = ledgerColumns
    self.readings = readings
    self.retained = retained
    self.retainsOffsets = retainsOffsets
    self.activePasses = activePasses
  }

  /// Columns that the nodes below `node` fill.
  func columnsWritten(below node: Int) -> [Int] {
    nodes[node].children.flatMap { nodes[$0].columnsWritten + columnsWritten(below: $0) }
  }
}

struct Node: Sendable {
  enum Work: Sendable {
    case map(any BoundMap)
    case barrier(BarrierRule)
    case reduce(any BoundReduce)
    case sink(any BoundRecordSink)
  }
  let stage: Int
  /// Which of the ways to its stage this is, over all lanes.
  let instance: Int
  let parent: Int?
  /// Which output of the parent it reads, where that has several (``BoundMap/ports``); else 0.
  let port: Int
  let depth: Int
  let work: Work
  var children: [Int] = []
  let scope: Scope
  /// Columns that this node fills.
  let columnsWritten: [Int]

  /// Names of its outputs where there are several.
  var ports: [String] { if case .map(let map) = work { map.ports } else { [] } }
  var checks: [RecordCheck] { if case .map(let map) = work { map.checks } else { [] } }

  var columnsRead: [Int] {
    switch work {
    case .map(let map): map.columnsRead
    case .barrier(let rule): rule.columnsRead
    case .reduce(let reduce): reduce.columnsRead
    case .sink(let sink): sink.columnsRead
    }
  }

  /// Whether it asks where its records begin in the shard.
  var readsOffsets: Bool {
    if case .reduce(let reduce) = work { reduce.readsOffsets } else { false }
  }
}

extension [Node] {
  /// Whether a barrier stands somewhere above a node.
  func hasBarrier(above index: Int) -> Bool {
    var at = self[index].parent
    while let parent = at {
      if case .barrier = self[parent].work { return true }
      at = self[parent].parent
    }
    return false
  }
}

/// One barrier stage over all its instances.
struct BarrierPlan: Sendable {
  let stage: Int
  let depth: Int
  let keepsLast: Bool
  /// How many records of each key stay.
  let keeps: Int
  /// What the others count as.
  let losesAs: Outcome
  /// Instances over all lanes.
  let instances: Int
  /// Names of the key fields, for the rows of what was removed.
  let keyNames: [String]
  let wantsRemoved: Bool
}

struct ReducePlan: Sendable {
  let stage: Int
  let instances: [any BoundReduce]
}
