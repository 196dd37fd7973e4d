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

private struct Tally {
  var passed = 0
  var notImplemented = 0
  var failed: [String] = []
}

@Suite struct `The CEL conformance cases` {
  // The cases are not part of the repository: without them there is nothing to run.
  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: casesDirectory + "/basic.json"),
      "the CEL cases are not here: name their directory in WEIR_CEL_CASES"))
  func `never give a wrong value`() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: casesDirectory)
      .filter { $0.hasSuffix(".json") }.sorted()
    try #require(!files.isEmpty)
    var total = Tally()
    for file in files {
      let data = try Data(contentsOf: URL(fileURLWithPath: casesDirectory + "/" + file))
      let cases = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
      var tally = Tally()
      for item in cases { try run(item, &tally) }
      print(
        "cel \(file.dropLast(5)): \(tally.passed) passed, \(tally.notImplemented) not implemented, "
          + "\(tally.failed.count) failed")
      #expect(tally.failed.isEmpty, "\(file): \(tally.failed.joined(separator: "\n"))")
      total.passed += tally.passed
      total.notImplemented += tally.notImplemented
    }
    print("cel total: \(total.passed) passed, \(total.notImplemented) not implemented")
    #expect(total.passed > 250, "the cases of this version's subset passed once; do not lose them")
  }

  private func run(_ item: [String: Any], _ tally: inout Tally) throws {
    let source = try #require(item["expr"] as? String)
    let name = "\(item["name"] ?? "") \(source)"
    guard let table = table(item["bindings"] as? [String: Any] ?? [:]) else {
      tally.notImplemented += 1
      return
    }
    let outcome = try outcome(source, table)
    let typed = (item["typed_result"] as? [String: Any])?["result"] as? [String: Any]
    if item["eval_error"] != nil {
      switch outcome {
      case .refused(let error) where error.code == .unavailable: tally.notImplemented += 1
      case .refused, .failed: tally.passed += 1
      case .value(let value): tally.failed.append("\(name): \(value), and not an error")
      }
      return
    }
    // A case without a value says that the expression is true.
    let wanted = item["value"] as? [String: Any] ?? typed ?? ["bool_value": true]
    switch outcome {
    case .refused(let error):
      // Cases that go without a type check may be refused by it; grammar never may be.
      let isGrammar = error.code == .syntax || error.code == .limit
      if isGrammar {
        tally.failed.append("\(name): \(error)")
      } else if error.code == .unavailable || item["disable_check"] != nil
        || item["check_only"] != nil || item["type_env"] != nil
      {
        tally.notImplemented += 1
      } else {
        tally.failed.append("\(name): \(error)")
      }
    case .failed(let message): tally.failed.append("\(name): \(message)")
    case .value(let value):
      if item["check_only"] != nil || same(value, wanted) {
        tally.passed += 1
      } else {
        tally.failed.append("\(name): \(value), and not \(wanted)")
      }
    }
  }

  private enum Outcome {
    case refused(ExpressionError)
    case failed(String)
    case value(Content)
  }

  /// Columns and the reference must agree on every case too.
  private func outcome(_ source: String, _ table: Table) throws -> Outcome {
    if let refusal = table.refusal(source) { return .refused(refusal) }
    var random = SplitMix(state: 1)
    _ = try compareWithReference(source, table, &random)
    let result = try table.values(source)
    if let failure = result.failures.first { return .failed(failure.message) }
    return .value(result.values[0])
  }

  /// One record that holds the bindings; `nil` where they are not of this version's types.
  private func table(_ bindings: [String: Any]) -> Table? {
    var table = Table(fields: [], rows: [[]])
    for (name, binding) in bindings.sorted(by: {
      $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
    }) {
      guard let value = (binding as? [String: Any])?["value"] as? [String: Any],
        let content = content(value)
      else { return nil }
      let type =
        switch content.value {
        case .bool: "bool"
        case .int: "int"
        case .number: "number"
        case .string: "string"
        default: "any"
        }
      table.fields.append((name, type))
      table.rows[0].append(content.value)
    }
    return table
  }

  private func content(_ value: [String: Any]) -> (value: Content, isKnown: Bool)? {
    if value.keys.contains("null_value") { return (.null, true) }
    if let bool = value["bool_value"] as? Bool { return (.bool(bool), true) }
    if let text = value["int64_value"] as? String { return Int64(text).map { (.int($0), true) } }
    if let text = value["string_value"] as? String { return (.text(text), true) }
    if let number = value["double_value"] {
      if let text = number as? String { return Double(text).map { (.number($0), true) } }
      if let number = number as? NSNumber { return (.number(number.doubleValue), true) }
    }
    return nil
  }

  private func same(_ value: Content, _ wanted: [String: Any]) -> Bool {
    guard let wanted = content(wanted)?.value else { return false }
    if case (.number(let a), .number(let b)) = (value, wanted) {
      return a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
    }
    return value == wanted
  }
}
