import Foundation
import Testing
import WeirData

@testable import WeirExpressions

/// Where the public conformance cases are: `WEIR_CEL_CASES`, else below `WEIR_SHARED`, else beside
/// the repository.
private let casesDirectory: String = {
  let environment = ProcessInfo.processInfo.environment
  if let directory = environment["WEIR_CEL_CASES"] { return directory }
  let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  let shared = environment["WEIR_SHARED"] ?? root.joined(separator: "/") + "/../shared"
  return shared + "/data/cel"
}()

private func caseFiles() -> [String] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: casesDirectory)) ?? []
  return names.filter { $0.hasSuffix(".json") }.sorted()
}

private struct Tally {
  var passed = 0
  var excluded = 0
  var notImplemented: [String] = []
  var failed: [String] = []

  mutating func add(_ other: Tally) {
    passed += other.passed
    excluded += other.excluded
    notImplemented += other.notImplemented
    failed += other.failed
  }

  var text: String {
    "\(passed) passed, \(notImplemented.count) not implemented, \(failed.count) failed"
      + (excluded > 0 ? ", \(excluded) excluded (decision 8)" : "")
  }
}

@Suite struct `The CEL conformance cases` {
  // The cases are not part of the repository: without them there is nothing to run.
  @Test(
    .enabled(
      if: !caseFiles().isEmpty,
      "the CEL cases are not here: name their directory in WEIR_CEL_CASES"))
  func `pass, and never give a wrong value`() throws {
    var total = Tally()
    for file in caseFiles() {
      let data = try Data(contentsOf: URL(fileURLWithPath: casesDirectory + "/" + file))
      let items = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
      var tally = Tally()
      for item in items { try run(try ConformanceCase(item), &tally) }
      print("cel \(file.dropLast(5)): \(tally.text)")
      for text in tally.notImplemented { print("  not implemented: \(text)") }
      #expect(tally.failed.isEmpty, "\(file): \(tally.failed.joined(separator: "\n"))")
      total.add(tally)
    }
    print("cel total: \(total.text)")
    let counted = total.passed + total.notImplemented.count + total.failed.count
    #expect(total.failed.isEmpty)
    #expect(total.passed * 100 >= counted * 95, "\(total.passed) of \(counted)")
  }

  private func run(_ item: ConformanceCase, _ tally: inout Tally) throws {
    if item.exclusion != nil {
      tally.excluded += 1
      return
    }
    let outcome = outcome(item)
    switch (outcome, item.wanted) {
    case (.refused(let error), _) where error.code == .unavailable:
      tally.notImplemented.append("\(item.name): \(error)")
    case (.refused(let error), .value):
      tally.failed.append("\(item.name): \(error)")
    case (.failed(let message), .value) where !item.isCheckOnly:
      tally.failed.append("\(item.name): \(message)")
    case (.refused, .failure), (.failed, .failure): tally.passed += 1
    case (.value(let value, _), .failure):
      tally.failed.append("\(item.name): \(value), and not a failure")
    case (.value(let value, let type), .value(let wanted)):
      if let deduced = item.type, !ConformanceCase.same(type, deduced) {
        tally.failed.append("\(item.name): of type \(type), and not \(deduced)")
      } else if item.isCheckOnly || identical(value, wanted) {
        tally.passed += 1
      } else {
        tally.failed.append("\(item.name): \(value), and not \(wanted)")
      }
    case (.failed, .value): tally.passed += 1
    }
    try compareColumns(item, outcome)
  }

  private enum Outcome {
    case refused(ExpressionError)
    case failed(String)
    case value(Value, ValueType.Base)
  }

  private func outcome(_ item: ConformanceCase) -> Outcome {
    do throws(ExpressionError) {
      let tree = try CompiledExpression.tree(
        item.source, scope: scope(item), isChecked: item.isChecked)
      let records = RecordEvaluator(tree)
      records.begin(fields: tree.fields.map { item.bindings[$0.column].value })
      do throws(Failed) {
        return .value(try records.value(tree.root, ofRow: 0), tree[tree.root].type.base)
      } catch { return .failed(tree.failure(error.number).message) }
    } catch { return .refused(error) }
  }

  private func scope(_ item: ConformanceCase) -> ExpressionScope {
    ExpressionScope(
      fields: item.bindings.enumerated().map { index, binding in
        ExpressionScope.Field(
          path: FieldPath(text: binding.name)!,
          type: ValueType(binding.value.isCell ? binding.value.staticType : .any).fieldType,
          column: index)
      })
  }

  /// Columns must give what the record gives, wherever a column can hold it.
  private func compareColumns(_ item: ConformanceCase, _ outcome: Outcome) throws {
    guard item.isChecked, item.bindings.allSatisfy({ $0.value.isCell }) else { return }
    var table = Table(fields: [], rows: [[]])
    for field in scope(item).fields {
      table.fields.append((field.path.text, field.type.text))
      table.rows[0].append(Content(item.bindings[field.column].value))
    }
    var random = SplitMix(state: 1)
    if table.refusal(item.source) == nil {
      _ = try compareWithReference(item.source, table, &random)
    } else if case .value(let value, _) = outcome {
      if case .optional = value { return }
      Issue.record("\(item.name): columns refuse it")
    }
  }
}
