/// `${param.x}` in the strings of a spec.
///
/// `$${` writes `${` itself. A string that is one reference and nothing else keeps the type of
/// the parameter. Keys, `type` and `inputs` take no references.
struct ParamReferences {
  enum Part {
    case text(ArraySlice<UInt8>)
    /// `range` is in UTF-8 offsets of the string's value, from `$` to `}`.
    case reference(name: String, range: Range<Int>)
    /// `${` that names no parameter: `${HOME}`, `${param.x`.
    case malformed(Range<Int>)
  }

  static func mayContain(_ text: String) -> Bool { text.utf8.contains(UInt8(ascii: "$")) }

  static func parts(_ text: String) -> [Part] {
    let bytes = Array(text.utf8)
    var parts: [Part] = []
    var start = 0
    var at = 0
    func isOpening(_ at: Int) -> Bool {
      at + 1 < bytes.count && bytes[at] == UInt8(ascii: "$") && bytes[at + 1] == UInt8(ascii: "{")
    }
    func flush() { if start < at { parts.append(.text(bytes[start..<at])) } }
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "$"), isOpening(at + 1) {
        flush()
        parts.append(.text(bytes[at + 1..<at + 3]))
        at += 3
        start = at
      } else if isOpening(at) {
        flush()
        var end = at + 2
        while end < bytes.count, bytes[end] != UInt8(ascii: "}") { end += 1 }
        let prefix = Array("param.".utf8)
        let body = bytes[at + 2..<end]
        let next = min(end + 1, bytes.count)
        if end < bytes.count, body.starts(with: prefix), body.count > prefix.count {
          let name = String(decoding: body.dropFirst(prefix.count), as: UTF8.self)
          parts.append(.reference(name: name, range: at..<next))
        } else {
          parts.append(.malformed(at..<next))
        }
        at = next
        start = at
      } else {
        at += 1
      }
    }
    flush()
    return parts
  }

  /// The name in `{{ x }}`, `$x`, `%x%`, `<x>` and `:x`, as other tools write what is put in later.
  static func foreignName(_ text: String) -> String? {
    let marks = Array("{}$%<>: ".utf8)
    guard let first = text.utf8.first, marks.contains(first), text.utf8.count <= 80,
      !text.utf8.starts(with: "${".utf8)
    else {
      return nil
    }
    var name = text.utf8.drop { marks.contains($0) }
    while let last = name.last, marks.contains(last) { name = name.dropLast() }
    for prefix in ["params.", "param."] where name.starts(with: prefix.utf8) {
      name = name.dropFirst(prefix.utf8.count)
      break
    }
    return !name.isEmpty && name.allSatisfy(isNameByte)
      ? String(decoding: Array(name), as: UTF8.self) : nil
  }

  /// The parameters that an expression reads as `params.x` or `params["x"]`, found by their looks;
  /// the expression compiler says whether they are right.
  static func namesInExpression(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    let word = Array("params".utf8)
    var names: [String] = []
    var at = 0
    while at + word.count < bytes.count {
      guard bytes[at] == word[0], bytes[at...].starts(with: word) else {
        at += 1
        continue
      }
      at += word.count
      var skipped = at
      while skipped < bytes.count, [0x20, 0x2E, 0x5B, 0x27, 0x22].contains(bytes[skipped]) {
        skipped += 1
      }
      var end = skipped
      while end < bytes.count, isNameByte(bytes[end]) { end += 1 }
      if skipped > at, end > skipped {
        names.append(String(decoding: bytes[skipped..<end], as: UTF8.self))
      }
      at = max(end, at)
    }
    return names
  }
}

/// A byte of a parameter or stage name.
func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
  default: false
  }
}

/// Whether all bytes are letters, digits, `_` or `-`, and there is at least one.
public func isPlainName(_ name: String) -> Bool {
  !name.utf8.isEmpty && name.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "-") }
}
