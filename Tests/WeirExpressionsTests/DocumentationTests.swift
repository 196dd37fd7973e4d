import Foundation
import Testing

@testable import WeirExpressions

/// `docs/expressions.md`: a JSON block with the record, and blocks of examples, a line each:
/// the expression, `//`, and its value as JSON or `error:` and words of the message.
private struct Page {
  var text: String
  var record: [UInt8]
  var examples: [(source: String, wanted: String)] = []

  init() throws {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let path = root.joined(separator: "/") + "/docs/expressions.md"
    text = try String(contentsOfFile: path, encoding: .utf8)
    var block: String?
    var lines: [String] = []
    var json: [String] = []
    for line in text.components(separatedBy: "\n") {
      if line.hasPrefix("```") {
        block = block == nil ? String(line.dropFirst(3)) : nil
      } else if block == "cel" {
        lines.append(line)
      } else if block == "json" {
        json.append(line)
      }
    }
    record = Array(json.joined(separator: "\n").utf8)
    for line in lines where !line.isEmpty {
      let parts = line.components(separatedBy: "  // ")
      let source = parts.dropLast().joined(separator: "  // ").trimmingCharacters(in: .whitespaces)
      examples.append((source, parts.last!.trimmingCharacters(in: .whitespaces)))
    }
  }
}

@Suite struct `The page on expressions` {
  @Test func `says what each example gives`() throws {
    let page = try Page()
    let bindings = try ExpressionBindings(json: page.record)
    #expect(page.examples.count > 100)
    for (source, wanted) in page.examples {
      #expect(!source.isEmpty, "no value stands behind: \(wanted)")
      do throws(ExpressionError) {
        let json = String(decoding: try bindings.evaluate(source), as: UTF8.self)
        #expect(json == wanted, "\(source)")
      } catch {
        let text = error.message + " " + (error.fix ?? "")
        guard wanted.hasPrefix("error: ") else {
          Issue.record("\(source): \(error)")
          continue
        }
        #expect(text.contains(wanted.dropFirst("error: ".count)), "\(source): \(text)")
      }
    }
  }

  @Test func `has an example of every function, macro and operator`() throws {
    let sources = try Page().examples.map(\.source).joined(separator: "\n")
    for function in Function.allCases {
      #expect(sources.contains(function.rawValue + "("), "\(function.rawValue)")
    }
    for macro in Checker.macros + ["has", "dyn", "or", "orValue"] {
      #expect(sources.contains(macro + "("), "\(macro)")
    }
    for symbol in Syntax.Binary.allCases {
      #expect(sources.contains(" \(symbol.rawValue) "), "\(symbol.rawValue)")
    }
    for other in ["&&", "||", "!", " ? ", ".?", "[?"] {
      #expect(sources.contains(other), "\(other)")
    }
  }
}
