import WeirData

// What a run and a run in memory do alike with what stages make.

extension Plan {
  /// Hands what the reduces made of some shards in one pass to the queue of each.
  ///
  /// - Parameters:
  ///   - made: partials by node; the shards ascending.
  ///   - shards: how many there are.
  ///   - queues: in the order of ``reduces``.
  func put(
    _ made: [(state: ShardState, partials: [(node: Int, bytes: [UInt8])])], pass: Int,
    shards: Int, into queues: [PartialQueue]
  ) throws {
    for (queue, reduce) in zip(queues, reduces) {
      try queue.put(
        made.map { state, partials in
          let lane = lanes[state.lane]
          return PartialQueue.Item(
            slot: pass * shards + state.ordinal,
            origin: ShardOrigin(source: stage(lane.stage).name, shard: state.shard.name),
            partials: partials.compactMap { node, bytes in
              lane.nodes[node].stage == reduce.stage ? bytes : nil
            })
        })
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
