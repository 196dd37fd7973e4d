import WeirData

// The ledger, the codes and the files.

extension TestComparison {
  private mutating func compare(_ node: SpecNode, _ actual: Int, _ what: String) {
    if case .int(let expected) = node.kind, expected == Int64(actual) { return }
    failures.append("\(what): expected \(clip(node.compactText)), actual \(actual)")
    edits.append(TestEdit(range: node.range, text: Array(String(actual).utf8)))
  }

  mutating func compare(ledger node: SpecNode, _ actual: TestActual) {
    for member in node.object ?? [] {
      guard same(member.key, "stages") else {
        compare(
          member.value, TestLedger.value(member.key, actual.ledger.records), "ledger, \(member.key)"
        )
        continue
      }
      for stage in member.value.object ?? [] {
        guard let found = actual.stages.first(where: { same($0.name, stage.key) }) else {
          failures.append(
            "ledger: no records reach a stage \(shown(stage.key)): there are "
              + alternatives(actual.stages.map(\.name)))
          continue
        }
        for count in stage.value.object ?? [] {
          let what = "ledger, \(stage.key), \(count.key)"
          guard TestLedger.stageObjects.contains(where: { same($0, count.key) }) else {
            compare(count.value, TestLedger.value(count.key, found.counts), what)
            continue
          }
          let values = TestLedger.values(count.key, found)
          for entry in count.value.object ?? [] {
            if let value = values.first(where: { same($0.name, entry.key) }) {
              compare(entry.value, value.count, "\(what), \(entry.key)")
            } else {
              failures.append(
                "\(what): there is no \(shown(entry.key)), but "
                  + (values.isEmpty ? "nothing" : alternatives(values.map(\.name))))
            }
          }
        }
      }
    }
  }

  mutating func compare(codes node: SpecNode, _ actual: TestActual) {
    let counts = actual.codeCounts
    var isEdited = false
    for member in node.object ?? [] {
      let count = counts.first { same($0.code, member.key) }?.count ?? 0
      if case .int(let expected) = member.value.kind, expected == Int64(count) { continue }
      isEdited = true
      failures.append(
        "codes, \(member.key): expected \(clip(member.value.compactText)), actual \(count)")
    }
    for (code, count) in counts where node.member(code) == nil {
      isEdited = true
      failures.append("codes, \(code): expected 0, actual \(count)")
    }
    guard isEdited else { return }
    let old = (node.object ?? []).compactMap { member in
      counts.first { same($0.code, member.key) }.map { JSONMember($0.code, .int($0.count)) }
    }
    let new = counts.filter { node.member($0.code) == nil }.sorted {
      $0.code.utf8.lexicographicallyPrecedes($1.code.utf8)
    }.map { JSONMember($0.code, .int($0.count)) }
    edits.append(
      TestEdit(range: node.range, text: TestRendering(like: node).inline(.object(old + new))))
  }

  mutating func compare(files node: SpecNode, _ actual: TestActual) {
    for member in node.object ?? [] {
      let found = actual.files.first { same($0.path, member.key) }
      if case .bool(let isWanted) = member.value.kind {
        guard isWanted != (found != nil) else { continue }
        failures.append(
          isWanted
            ? "file \(member.key) is not written; there are: \(names(actual))"
            : "file \(member.key) is written")
        edits.append(
          TestEdit(range: member.value.range, text: Array((isWanted ? "false" : "true").utf8)))
        continue
      }
      guard let found else {
        failures.append("file \(member.key) is not written; there are: \(names(actual))")
        edits.append(TestEdit(range: member.value.range, text: Array("false".utf8)))
        continue
      }
      compare(
        member.value, found.lines.map(Entry.init(line:)), "line of \(member.key)", isWhole: true)
    }
  }

  private func names(_ actual: TestActual) -> String {
    actual.files.isEmpty ? "none" : alternatives(actual.files.map { printable($0.path) })
  }
}
