import WeirData

// What a run and a run in memory do alike with what stages make.

extension Plan {
  /// Hands what the reduces made of a shard in one pass to the queue of each.
  ///
  /// - Parameters:
  ///   - shards: how many there are.
  ///   - queues: in the order of ``reduces``.
  func put(
    _ partials: [(node: Int, bytes: [UInt8])], of state: ShardState, pass: Int, shards: Int,
    into queues: [PartialQueue]
  ) throws {
    let lane = lanes[state.lane]
    let origin = ShardOrigin(source: stage(lane.stage).name, shard: state.shard.name)
    for (queue, reduce) in zip(queues, reduces) {
      let mine = partials.filter { lane.nodes[$0.node].stage == reduce.stage }
      try queue.put(pass * shards + state.ordinal, of: origin, mine.map(\.bytes))
    }
  }

  /// Lets the sinks of rows and findings write.
  ///
  /// - Parameters:
  ///   - made: by stage and port.
  ///   - take: gets each file with the name of its sink.
  func writeResults(
    _ made: [Int: [String: StageOutput]], _ facts: RunFacts,
    _ take: (_ sink: String, OutputFile) throws -> Void
  ) throws {
    for index in resultSinks {
      try Task.checkCancellation()
      let stage = stage(index)
      guard let sink = stage.stage as? any SinkStage else { continue }
      for input in stage.inputs where input.carries != .records {
        guard let value = made[input.stage]?[input.port] else {
          preconditionFailure("`\(stage.name)` waits for an output that nobody made")
        }
        var mine = facts
        mine.input = self.stage(input.stage).name
        for file in try sink.write(value, mine) { try take(stage.name, file) }
      }
    }
  }

  /// Findings of all stages by level, loudest last.
  func levels(_ made: [Int: [String: StageOutput]]) -> [(level: String, count: Int)] {
    var levels: [(level: String, count: Int)] = []
    for stage in made.keys.sorted() {
      for port in made[stage]!.keys.sorted() {
        guard case .findings(let set) = made[stage]![port] else { continue }
        for (level, count) in set.levels {
          if let i = levels.firstIndex(where: { same($0.level, level) }) {
            levels[i].count += count
          } else {
            levels.append((level, count))
          }
        }
      }
    }
    return levels
  }
}
