import ArgumentParser
import WeirEngine
import WeirExpressions

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "The value of an expression as JSON.",
    discussion: """
      Expressions are those of specs, in CEL: docs/expressions.md. The names that an expression may \
      use are the keys of a JSON object in a file.

        weir eval '1 + 2 * 3'
        weir eval 'tags.exists(t, t.startsWith("x"))' --bind record.json

      Exits 1 where the expression is refused or has no value; the message shows the place.
      """)

  /// A file of bindings may have so many bytes.
  private static let bytesMax = 64 << 20

  @Argument(help: "The expression.")
  var expression: String

  @Option(
    name: .customLong("bind"),
    help: ArgumentHelp("A JSON object; its keys are the names.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var file: String?

  func run() throws {
    let bindings = try readBindings()
    let json: [UInt8]
    do throws(ExpressionError) {
      json = try bindings.evaluate(expression)
    } catch {
      tell(EvalCommand.text(of: error, in: expression))
      throw ExitCode(1)
    }
    try say(String(decoding: json, as: UTF8.self))
  }

  private func readBindings() throws -> ExpressionBindings {
    guard let file else { return ExpressionBindings() }
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try readWholeFile(file, limit: EvalCommand.bytesMax)
    } catch {
      tell("\(file) cannot be read: \(error.reason)")
      throw ExitCode(1)
    }
    do throws(ExpressionBindings.Mistake) {
      return try ExpressionBindings(json: bytes)
    } catch {
      tell("\(file): \(error.message)")
      throw ExitCode(1)
    }
  }

  /// The message, the line of the expression with a caret below the place, and the fix.
  static func text(of error: ExpressionError, in source: String) -> String {
    let bytes = Array(source.utf8)
    let place = max(0, min(error.column - 1, bytes.count))
    let start = (bytes[..<place].lastIndex(of: 0x0A) ?? -1) + 1
    let end = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
    // Of a long line, what is near.
    var from = max(start, place - 60)
    var to = min(end, place + 60)
    while from > start, bytes[from] & 0xC0 == 0x80 { from -= 1 }
    while to < end, bytes[to] & 0xC0 == 0x80 { to += 1 }
    let shown = bytes[from..<to].map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
    func width(_ bytes: ArraySlice<UInt8>) -> Int { bytes.count { $0 & 0xC0 != 0x80 } }
    let before = from > start ? "..." : ""
    let after = to < end ? "..." : ""
    let indent = before.utf8.count + width(bytes[from..<place])
    let marked = max(1, width(bytes[place..<min(to, place + error.length)]))
    var text = "column \(error.column): \(error.message)\n"
    text += "  \(before)\(String(decoding: shown, as: UTF8.self))\(after)\n"
    text += "  \(String(repeating: " ", count: indent))\(String(repeating: "^", count: marked))"
    if let fix = error.fix { text += "\n  try: \(fix)" }
    return text
  }
}
