import Glibc
import WeirEngine

/// Colours, where a person looks at a terminal.
struct Paint {
  var isOn: Bool

  static let none = Paint(isOn: false)
  /// On where stdout is a terminal that can, and `NO_COLOR` is not set.
  static var onTerminal: Paint {
    let terminal = getenv("TERM").map { String(cString: $0) } ?? "dumb"
    return Paint(
      isOn: isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil && terminal != "dumb")
  }

  func bold(_ text: String) -> String { wrap(text, "1") }
  func faint(_ text: String) -> String { wrap(text, "2") }
  func red(_ text: String) -> String { wrap(text, "31") }
  func green(_ text: String) -> String { wrap(text, "32") }
  func yellow(_ text: String) -> String { wrap(text, "33") }

  private func wrap(_ text: String, _ code: String) -> String {
    isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

/// Text in columns of a fixed width, a scalar a column.
enum Columns {
  /// Cut with `...` where it is too long, filled with blanks where it is too short.
  static func fit(_ text: String, _ width: Int) -> String {
    let text = cut(text, width)
    return text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
  }

  static func cut(_ text: String, _ width: Int) -> String {
    let scalars = printable(text).unicodeScalars
    guard scalars.count > width else { return String(scalars) }
    return String(String.UnicodeScalarView(scalars.prefix(max(0, width - 3)))) + "..."
  }

  static func cut(_ bytes: [UInt8], _ width: Int) -> String {
    // Of a long text only what can be shown is decoded.
    cut(String(decoding: bytes.prefix(4 * width + 4), as: UTF8.self), width)
  }

  static func trimmed(_ line: String) -> String {
    var bytes = Array(line.utf8)
    while bytes.last == 0x20 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What people see at once.
  static let width = 100

  /// A line broken at blanks, with a deeper indent from the second on.
  static func wrapped(_ text: String, _ indent: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    var used = 0
    let start = text.utf8.prefix { $0 == 0x20 }.count
    for word in text.utf8.dropFirst(start).split(separator: 0x20, omittingEmptySubsequences: false)
    {
      let word = cut(String(decoding: word, as: UTF8.self), width - indent)
      let length = word.unicodeScalars.count
      if used == 0 {
        let lead = lines.isEmpty ? start : indent
        line = String(repeating: " ", count: lead) + word
        used = lead + length
      } else if used + 1 + length <= width {
        line += " " + word
        used += 1 + length
      } else {
        lines.append(trimmed(line))
        line = String(repeating: " ", count: indent) + word
        used = indent + length
      }
    }
    return lines + [trimmed(line)]
  }
}
