import WeirData
import WeirEngine

/// A map that changes nothing but the fields that those behind it see, and what of a record leaves.
struct PassingMap: BoundMap {
  var columnsRead: [Int] { [] }
  var filters: Bool { false }
  func makeWorker() -> any MapWorker { Worker() }

  private final class Worker: MapWorker {
    func apply(
      _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
    ) -> Int { 0 }
  }
}

extension Scope {
  /// Refuses to take a field out of one that is a field itself, and would keep it.
  func isAlone(_ path: FieldPath, at node: SpecNode, _ problems: inout Problems) -> Bool {
    guard let holder = holder(of: path) else { return true }
    problems.add(
      "held_field", at: node,
      "`\(path.text)` lies in `\(holder.path.text)`, which is a field too and would keep it",
      fix: "take \"\(holder.path.text)\" out of \"fields\" of the source")
    return false
  }
}

/// Refuses rows, each with what is said of it, in their order.
func refuse(
  _ messages: [UInt32: String], code: String, of batch: borrowing Batch,
  _ selection: inout Selection, _ refusals: inout [Refusal]
) {
  guard !messages.isEmpty else { return }
  for row in messages.keys.sorted() {
    refusals.append(Refusal(row: Int(row), of: batch, code: code, message: messages[row]!))
  }
  selection.rows.removeAll { messages[$0] != nil }
}

extension OptionEntry {
  /// The key as the name of a field; says so where it is none.
  ///
  /// - Parameter fix: how to write one.
  func keyPath(fix: String, _ problems: inout Problems) -> FieldPath? {
    if let path = FieldPath(text: key) { return path }
    problems.add(
      "bad_field_path", at: keyNode, "`\(key)` is not the name of a field", fix: fix)
    return nil
  }
}

/// Names in a list, each once; says where there are none or one stands twice.
func uniquePaths(
  _ values: [OptionValue], _ options: Options, sample: String, _ problems: inout Problems
) -> Bool {
  var seen: Set<FieldPath> = []
  var isRight = true
  for value in values where !seen.insert(value.fieldPath).inserted {
    problems.add(
      "duplicate_field", at: value.node, "`\(value.fieldPath.text)` is named twice",
      fix: "keep one of the two")
    isRight = false
  }
  if values.isEmpty {
    problems.add(
      "nothing_to_do", at: options.node("fields"), "\"fields\" names no field", fix: sample)
    return false
  }
  return isRight
}
