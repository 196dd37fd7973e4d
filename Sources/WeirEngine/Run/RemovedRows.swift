import WeirData

// The rows of the records that a barrier removed.

extension BarrierDecision {
  func removedRows(_ losses: [BarrierResolver.Loss]) throws -> RowTable {
    var table = RowTable(
      columns: barrier.keyNames + [
        "source", "shard", "line", "kept_source", "kept_shard", "kept_line",
      ])
    let losses = losses.sorted { $0.loser.position < $1.loser.position }
    let keys = try keyValues(losses)
    for (loss, values) in zip(losses, keys) {
      table.rows.append(values + place(loss.loser) + place(loss.winner))
    }
    return table
  }

  private func place(_ tuple: BarrierTuple.Packed) -> [JSONValue] {
    let state = states[tuple.shard]
    return [
      .text(plan.stage(plan.lanes[state.lane].stage).name), .string(state.shard.name),
      .int(Int64(tuple.line)),
    ]
  }

  /// The values of the key of each, out of the key columns that were kept.
  ///
  /// - Parameter losses: by position.
  private func keyValues(_ losses: [BarrierResolver.Loss]) throws -> [[JSONValue]] {
    var values = [[JSONValue]](repeating: [], count: losses.count)
    var from = 0
    while from < losses.count {
      let shard = losses[from].loser.shard
      var to = from
      while to < losses.count, losses[to].loser.shard == shard { to += 1 }
      let state = states[shard]
      let nodes = plan.lanes[state.lane].nodes
      for (node, columns) in state.keys.sorted(by: { $0.key < $1.key })
      where nodes[node].stage == barrier.stage {
        let mine = (from..<to).filter { losses[$0].loser.instance == nodes[node].instance & 255 }
        try read(columns, lines: mine.map { losses[$0].loser.line }) { values[mine[$0]] = $1 }
        state.keys[node] = nil
      }
      from = to
    }
    return values
  }

  /// - Parameters:
  ///   - lines: ascending.
  ///   - body: takes the place of the line among them, and the values in the columns.
  private func read(
    _ keys: RetainedColumns, lines: [UInt32], _ body: (Int, [JSONValue]) -> Void
  ) throws {
    guard !lines.isEmpty else { return }
    let columnCount = (keys.columns.max() ?? 0) + 1
    var next = 0
    try keys.replay(with: keys.makeReader(columnCount: columnCount, others: [])) { batch, all in
      for row in all.rows {
        guard next < lines.count else { return }
        guard batch.lines[Int(row)].number == lines[next] else { continue }
        body(next, keys.columns.map { batch.column($0)[Int(row)].jsonValue })
        next += 1
      }
    }
  }
}
