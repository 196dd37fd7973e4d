import WeirData

/// Writes values in the form that a place in a test file has.
struct TestRendering {
  /// Blanks inside of braces.
  private let isSpaced: Bool
  /// In front of an entry of a list that has one in each line; `nil`: in one line.
  private let indent: Int?
  /// In front of the line that closes the list.
  private let closing: Int

  init(like node: SpecNode) {
    let bytes = node.source.bytes
    let text = bytes[node.range]
    isSpaced = zip(text, text.dropFirst()).contains { $0 == UInt8(ascii: "{") && $1 == 0x20 }
    let line = node.source.line(at: node.range.lowerBound)
    closing = bytes[line].prefix { $0 == 0x20 }.count
    if let first = node.array?.first {
      let own = node.source.line(at: first.range.lowerBound)
      indent =
        own.lowerBound > node.range.lowerBound
        ? first.range.lowerBound - own.lowerBound : text.contains(0x0A) ? closing + 2 : nil
    } else {
      indent = closing + 2
    }
  }

  /// For a new file: lists begin behind so many blanks.
  init(indent closing: Int) {
    isSpaced = true
    self.closing = closing
    indent = closing + 2
  }

  func inline(_ value: JSONValue) -> [UInt8] {
    var out: [UInt8] = []
    write(value, &out)
    return out
  }

  func list(_ entries: [[UInt8]]) -> [UInt8] {
    guard !entries.isEmpty else { return Array("[]".utf8) }
    var out: [UInt8] = [UInt8(ascii: "[")]
    for (i, entry) in entries.enumerated() {
      if i > 0 { out.append(UInt8(ascii: ",")) }
      if let indent {
        out.append(0x0A)
        out += [UInt8](repeating: 0x20, count: indent)
      } else if i > 0 {
        out.append(0x20)
      }
      out += entry
    }
    if indent != nil {
      out.append(0x0A)
      out += [UInt8](repeating: 0x20, count: closing)
    }
    out.append(UInt8(ascii: "]"))
    return out
  }

  private func write(_ value: JSONValue, _ out: inout [UInt8]) {
    switch value {
    case .array(let elements):
      out.append(UInt8(ascii: "["))
      for (i, element) in elements.enumerated() {
        if i > 0 { out += Array(", ".utf8) }
        write(element, &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out += Array((isSpaced && !members.isEmpty ? "{ " : "{").utf8)
      for (i, member) in members.enumerated() {
        if i > 0 { out += Array(", ".utf8) }
        appendJSONString(member.key, to: &out)
        out += Array(": ".utf8)
        write(member.value, &out)
      }
      out += Array((isSpaced && !members.isEmpty ? " }" : "}").utf8)
    default: value.write(to: &out)
    }
  }

  /// JSON text with blanks that make it readable; one that has blanks already stays as it is, so that
  /// without blanks it is always what it was.
  static func spaced(_ line: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var strings = JSONStringTracker()
    for (i, byte) in line.enumerated() {
      guard !strings.take(byte) else {
        out.append(byte)
        continue
      }
      switch byte {
      case 0x20, 0x09: return line
      case UInt8(ascii: ":"), UInt8(ascii: ","): out += [byte, 0x20]
      case UInt8(ascii: "{") where i + 1 < line.count && line[i + 1] != UInt8(ascii: "}"):
        out += [byte, 0x20]
      case UInt8(ascii: "}") where i > 0 && line[i - 1] != UInt8(ascii: "{"): out += [0x20, byte]
      default: out.append(byte)
      }
    }
    return out
  }

  /// Whether a test file can hold the value of a line as JSON, and nothing of it is lost.
  static func isExact(_ line: [UInt8]) -> Bool {
    var problems = Problems()
    guard
      SpecJSON.parse(
        SpecSource(name: "", bytes: line), limits: SpecLimits(bytes: 16 << 20, depth: 32),
        problems: &problems) != nil
    else { return false }
    return problems.isEmpty
  }
}

extension TestFile {
  /// The file with what is expected as it came out, and nothing else changed.
  public func updated(_ outcomes: [TestOutcome]) -> [UInt8] {
    var bytes = source.bytes
    for edit in outcomes.filter(\.canUpdate).flatMap(\.edits)
      .sorted(by: { $0.range.lowerBound > $1.range.lowerBound })
    {
      bytes.replaceSubrange(edit.range, with: edit.text)
    }
    return bytes
  }
}
