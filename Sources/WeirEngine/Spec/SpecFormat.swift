/// The one layout of specs.
///
/// A value stands on one line where it fits in 100 columns; else each of its members has a line of its
/// own, two spaces further right. The sections, and what they hold, always have. Keys keep their order;
/// numbers, and the escapes in strings, stay as they were written.
public enum SpecFormat {
  static let width = 100

  /// - Returns: `nil` where the text is no JSON; the problems tell why.
  public static func format(_ bytes: [UInt8], file: String) -> (text: [UInt8]?, problems: Problems)
  {
    var problems = Problems()
    let source = SpecSource(name: file, bytes: bytes)
    guard let root = SpecJSON.parse(source, problems: &problems), !problems.hasErrors else {
      return (nil, problems)
    }
    var out: [UInt8] = []
    write(root, key: nil, depth: 0, to: &out)
    out.append(0x0A)
    return (out, problems)
  }

  /// - Parameters:
  ///   - key: of the member of the top level that it lies in.
  ///   - depth: of what is around it.
  private static func write(_ node: SpecNode, key: String?, depth: Int, to out: inout [UInt8]) {
    let start = (out.lastIndex(of: 0x0A) ?? -1) + 1
    let column = out[start...].count { $0 & 0xC0 != 0x80 }
    if !isOpen(node, key, depth) {
      let line = flat(node)
      // One more for the comma that may follow.
      if column + line.count(where: { $0 & 0xC0 != 0x80 }) < width {
        out += line
        return
      }
    }
    let indent = [UInt8](repeating: 0x20, count: 2 * (depth + 1))
    switch node.kind {
    case .object(let members) where !members.isEmpty:
      out.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        out += (index > 0 ? [UInt8(ascii: ","), 0x0A] : [0x0A]) + indent
        out += node.source.bytes[member.keyRange] + [UInt8(ascii: ":"), 0x20]
        write(member.value, key: depth == 0 ? member.key : key, depth: depth + 1, to: &out)
      }
      out += [0x0A] + indent.dropLast(2) + [UInt8(ascii: "}")]
    case .array(let items) where !items.isEmpty:
      out.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        out += (index > 0 ? [UInt8(ascii: ","), 0x0A] : [0x0A]) + indent
        write(item, key: key, depth: depth + 1, to: &out)
      }
      out += [0x0A] + indent.dropLast(2) + [UInt8(ascii: "]")]
    default: out += flat(node)
    }
  }

  /// Whether a value has a line for each member also where it would fit in one.
  private static func isOpen(_ node: SpecNode, _ key: String?, _ depth: Int) -> Bool {
    guard case .object(let members) = node.kind, !members.isEmpty else { return false }
    let sections = SpecSection.allCases.map(\.rawValue) + ["params"]
    return depth == 0 || (depth == 1 && sections.contains { same($0, key ?? "") })
  }

  private static func flat(_ node: SpecNode) -> [UInt8] {
    var out: [UInt8] = []
    appendFlat(node, &out)
    return out
  }

  // As deep as the parser allows, which is 64.
  private static func appendFlat(_ node: SpecNode, _ out: inout [UInt8]) {
    switch node.kind {
    case .object(let members):
      guard !members.isEmpty else { return out += Array("{}".utf8) }
      for (index, member) in members.enumerated() {
        out += index == 0 ? Array("{ ".utf8) : Array(", ".utf8)
        out += node.source.bytes[member.keyRange] + Array(": ".utf8)
        appendFlat(member.value, &out)
      }
      out += Array(" }".utf8)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { out += Array(", ".utf8) }
        appendFlat(item, &out)
      }
      out.append(UInt8(ascii: "]"))
    default: out += node.source.bytes[node.range]
    }
  }
}
