import Glibc
import WeirData

/// What a run would do now, said without doing it: which shards are new since the outputs in place were
/// made, which changed or are gone, and what has to be read.
public struct RunForecast: Sendable {
  public enum Change: String, Sendable {
    case new, changed, same
  }
  public struct Shard: Sendable {
    public var source: String
    public var name: String
    /// Bytes on disk.
    public var bytes: Int
    /// Against the outputs in place; without such, everything is new.
    public var change: Change
    /// Whether a digest has what pass 0 makes of it; else it is read.
    public var isKnown: Bool
    /// Whether a later pass reads its text again.
    public var isReadAgain: Bool
  }
  public var outDirectory: String
  /// Nothing would be done.
  public var isUnchanged: Bool
  /// Whether outputs are in place, and whether they are of this plan.
  public var hasOutputs: Bool
  public var isSamePlan: Bool
  public var shards: [Shard]
  /// Shards that the outputs in place were made of and that are not there any more.
  public var gone: [(source: String, name: String)]

  /// Bytes of the shards that pass 0 reads, compressed.
  public var bytesToRead: Int { shards.reduce(0) { $0 + ($1.isKnown ? 0 : $1.bytes) } }

  /// Bytes of those that a later pass may read again.
  public var bytesToReadAgain: Int { shards.reduce(0) { $0 + ($1.isReadAgain ? $1.bytes : 0) } }
}

extension Plan {
  /// Looks at the shards and at what is kept of earlier runs. Writes nothing, takes no lock. Blocks: a
  /// shard whose content is not remembered, and may be one that is known, is read for its hash.
  public func forecast(_ options: RunOptions) throws -> RunForecast {
    let memory = RunMemory(options.memory, directory: options.workspace.path)
    var states: [ShardState] = []
    for (index, lane) in lanes.enumerated() {
      for shard in try lane.source.findShards() {
        states.append(
          ShardState(
            lane: index, ordinal: states.count, shard: shard, nodes: lane.nodes.count,
            memory: memory))
      }
    }
    let store = try TaskStore.look(in: options.workspace)
    let keys = try options.workspace.existingSecret().map { TaskKeys(self, secret: $0) }
    let out = outputPath(options)
    let manifest = try OutputManifest.read(joinPath(out, OutputDirectory.manifestName))
    let isSamePlan = manifest?.planHash == hexText(hash)
    var old: [[UInt8]: OutputManifest.Input] = [:]
    for input in manifest?.inputs ?? [] { old[input.id] = input }
    var shards: [RunForecast.Shard] = []
    for state in states {
      let lane = lanes[state.lane]
      let source = stage(lane.stage).name
      let before = old.removeValue(forKey: OutputManifest.id(source, state.shard.name))
      try recall(state, like: before, store)
      let isSame = before != nil && before?.content == state.contentHash?.hex
      let key = keys.flatMap { keys in
        state.contentHash.map { keys.key(state, $0, pass: 0, lane) }
      }
      let isKnown = key.map { store?.has($0) ?? false } ?? false
      shards.append(
        RunForecast.Shard(
          source: source, name: state.shard.nameText, bytes: state.shard.size,
          change: before == nil ? .new : isSame ? .same : .changed, isKnown: isKnown,
          isReadAgain: lane.readings.dropFirst().contains {
            if case .shard = $0 { true } else { false }
          }
            && !(isKnown && isSame && isSamePlan)))
    }
    let gone = (manifest?.inputs ?? []).filter { old[$0.id] != nil }
      .map { (source: $0.source, name: $0.name) }
    let isUnchanged =
      isSamePlan && gone.isEmpty && shards.allSatisfy { $0.change == .same }
      && manifest?.runKey == runKey(states)
    return RunForecast(
      outDirectory: out, isUnchanged: isUnchanged, hasOutputs: manifest != nil,
      isSamePlan: isSamePlan, shards: shards, gone: gone)
  }

  /// Finds the content of a shard where it matters: it may be the one that the outputs were made of.
  private func recall(
    _ state: ShardState, like before: OutputManifest.Input?, _ store: TaskStore?
  ) throws {
    do {
      if let store { try state.recallContent(store.contents) }
      if state.contentHash == nil, let before, before.bytes == state.shard.size {
        try state.readContent()
      }
    } catch is ShardError {
      // What a run does about a shard that cannot be read the spec says; here it is one to be read.
    }
  }
}
