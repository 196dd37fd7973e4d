import WeirData

/// Keeps its own stack: the depth of a text must not become the depth of ours.
struct SpecParser {
  var scanner: SpecScanner
  let limits: SpecLimits

  struct Frame {
    let start: Int
    let pointer: SpecPointer
    let isObject: Bool
    var items: [SpecNode] = []
    var members: [SpecMember] = []
    var places: [[UInt8]: Range<Int>] = [:]
    var key: (text: String, range: Range<Int>, isDuplicate: Bool) = ("", 0..<0, false)
    /// Of the first key that begins a line.
    var indent: Int?

    var close: UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }
    var next: SpecPointer {
      isObject ? .key(pointer, key.text) : .index(pointer, items.count)
    }
  }

  var stack: [Frame] = []
  /// An object in which a key stands further left than the first one: it may have ended before that key.
  var mayLackEnd: (frame: Int, pointer: SpecPointer, key: Range<Int>)?

  init(_ source: SpecSource, _ limits: SpecLimits) {
    scanner = SpecScanner(source)
    self.limits = limits
  }

  mutating func parse() -> SpecNode? {
    guard isReadable() else { return nil }
    scanner.skipSpace(.root)
    guard scanner.byte != nil else {
      scanner.stop(
        "empty", 0..<0, .root, "there is nothing in this file", expected: "a JSON object")
      return nil
    }
    while !scanner.stopped {
      let pointer = stack.last?.next ?? .root
      guard var node = value(pointer) else { continue }
      while !scanner.stopped {
        guard !stack.isEmpty else {
          finish()
          return node
        }
        attach(node)
        guard let closed = afterValue() else { break }
        node = closed
      }
    }
    return nil
  }

  private mutating func isReadable() -> Bool {
    let bytes = scanner.bytes
    if bytes.count > limits.bytes {
      scanner.stop(
        "too_large", 0..<0, .root,
        "this file has \(bytes.count) bytes; at most \(limits.bytes) are read")
    } else if bytes.starts(with: [0x1F, 0x8B]) || bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      scanner.stop(
        "not_utf8", 0..<2, .root, "this file is compressed",
        fix: "unpack it, and run weir on the unpacked file")
    } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      scanner.stop(
        "not_utf8", 0..<2, .root, "this file is UTF-16", fix: "save it as UTF-8")
    } else if let place = bytes.withUnsafeBufferPointer({ firstInvalidUTF8($0) }) {
      scanner.stop(
        "not_utf8", place..<place + 1, .root, "this byte is not UTF-8",
        fix:
          "the file is probably Latin-1 or Windows-1252: open it as that, and save it as UTF-8")
    } else if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      scanner.add(
        "byte_order_mark", 0..<3, .root, "the file starts with a byte order mark",
        fix: "save it as UTF-8 without BOM")
      scanner.at = 3
    }
    return !scanner.stopped
  }

  /// A whole value, or `nil` where one was opened (and its first key was read) or reading stopped.
  private mutating func value(_ pointer: SpecPointer) -> SpecNode? {
    scanner.skipSpace(pointer)
    guard !scanner.stopped else { return nil }
    let start = scanner.at
    guard let byte = scanner.byte else {
      unclosed()
      return nil
    }
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      return open(byte, pointer)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      return scanner.string(pointer).map { node(.string($0), start, pointer) }
    case _ where isWordByte(byte):
      if stack.isEmpty, looksLikeOtherFormat() { return nil }
      let kind = scanner.wordValue(pointer)
      return node(kind, start, pointer)
    default:
      if let text = scanner.curlyString(pointer) { return node(.string(text), start, pointer) }
      noValue(byte, pointer)
      return nil
    }
  }

  private func node(_ kind: SpecNode.Kind, _ start: Int, _ pointer: SpecPointer) -> SpecNode {
    SpecNode(kind: kind, range: start..<scanner.at, pointer: pointer, source: scanner.source)
  }

  private mutating func open(_ byte: UInt8, _ pointer: SpecPointer) -> SpecNode? {
    guard stack.count < limits.depth else {
      scanner.stop(
        "too_deep", scanner.at..<scanner.at + 1, pointer,
        "values are nested more than \(limits.depth) deep")
      return nil
    }
    stack.append(
      Frame(start: scanner.at, pointer: pointer, isObject: byte == UInt8(ascii: "{")))
    scanner.at += 1
    scanner.skipSpace(pointer)
    if scanner.byte == stack[stack.count - 1].close { return close() }
    if byte == UInt8(ascii: "{") { key() }
    return nil
  }

  private mutating func close() -> SpecNode {
    let frame = stack.removeLast()
    scanner.at += 1
    return node(
      frame.isObject ? .object(frame.members) : .array(frame.items), frame.start, frame.pointer)
  }

  private mutating func attach(_ node: SpecNode) {
    let last = stack.count - 1
    guard stack[last].isObject else { return stack[last].items.append(node) }
    let key = stack[last].key
    if !key.isDuplicate {
      stack[last].members.append(SpecMember(key: key.text, keyRange: key.range, value: node))
    }
  }

  /// After a value inside a list or an object: the closed container, or `nil` where another
  /// value follows.
  private mutating func afterValue() -> SpecNode? {
    let end = scanner.at
    // Only the parts: a copy of the frame would share its dictionary and double every insertion.
    let (start, pointer) = (stack[stack.count - 1].start, stack[stack.count - 1].pointer)
    let (isObject, closing) = (stack[stack.count - 1].isObject, stack[stack.count - 1].close)
    scanner.skipSpace(pointer)
    guard !scanner.stopped else { return nil }
    guard let byte = scanner.byte else {
      unclosed()
      return nil
    }
    if byte == closing { return close() }
    if scanner.closesNothing(end) { return afterValue() }
    if byte == UInt8(ascii: ":") || byte == UInt8(ascii: "+") {
      continued(byte, end)
      return nil
    }
    if byte == UInt8(ascii: ",") {
      let comma = scanner.at
      scanner.at += 1
      skipMoreCommas(pointer)
      if scanner.byte == closing {
        scanner.add(
          "trailing_comma", comma..<comma + 1, pointer,
          "a comma before \(isObject ? "}" : "]")", fix: "remove the comma")
        return close()
      }
    } else if scanner.at == end, scanner.bytes[end - 1] == UInt8(ascii: "\""), isWordByte(byte) {
      quoteInString(pointer)
      return nil
    } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || isWordByte(byte)
      || (!isObject && (byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")))
    {
      scanner.add(
        "missing_comma", end..<end, pointer,
        "a comma is missing between two \(isObject ? "members" : "values")",
        fix: "put a comma here")
    } else {
      unexpected(
        pointer, expected: "a comma or \(isObject ? "}" : "]")",
        opened: start)
      return nil
    }
    if isObject, !scanner.stopped { key() }
    return nil
  }

  private mutating func skipMoreCommas(_ pointer: SpecPointer) {
    scanner.skipSpace(pointer)
    while scanner.byte == UInt8(ascii: ",") {
      scanner.add(
        "extra_comma", scanner.at..<scanner.at + 1, pointer, "two commas in a row",
        fix: "remove the comma")
      scanner.at += 1
      scanner.skipSpace(pointer)
    }
  }

  /// A key and its colon.
  private mutating func key() {
    let last = stack.count - 1
    let pointer = stack[last].pointer
    scanner.skipSpace(pointer)
    let start = scanner.at
    guard !scanner.stopped, let byte = scanner.byte else { return unclosed() }
    noteIndent(start)
    let text: String
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
      guard let string = scanner.string(pointer, isKey: true) else { return }
      text = string
    } else if let string = scanner.curlyString(pointer) {
      text = string
    } else if scanner.stopped {
      return
    } else if isWordByte(byte) {
      text = scanner.text(scanner.word())
      // `market": "DE"`: only the first quote is missing.
      if scanner.byte == UInt8(ascii: "\"") { scanner.at += 1 }
      scanner.add(
        "unquoted_key", start..<scanner.at, .key(pointer, text),
        "keys stand in double quotes", fix: quoted(text))
    } else {
      return unexpected(pointer, expected: "a key in double quotes", opened: stack[last].start)
    }
    let range = start..<scanner.at
    let first = stack[last].places[Array(text.utf8)]
    stack[last].key = (text, range, first != nil)
    if let lacking = mayLackEnd, lacking.key.isEmpty { mayLackEnd?.key = range }
    if let first {
      let line = scanner.source.lineNumber(of: first.lowerBound)
      scanner.add(
        "duplicate_key", range, .key(pointer, text),
        "the key \(shown(text)) stands twice in this object, first in line \(line)",
        fix: duplicateFix(text, pointer),
        related: [.init("first here", source: scanner.source, offset: first.lowerBound)])
    } else {
      stack[last].places[Array(text.utf8)] = range
    }
    colon(text, .key(pointer, text))
  }

  /// What to do about a key that stands twice in the object at a place.
  private func duplicateFix(_ key: String, _ object: SpecPointer) -> String {
    let isOption =
      if case .key(.key(.root, let section), _) = object {
        SpecSection(rawValue: section) != nil
      } else {
        false
      }
    guard !isOption, case .key(.root, let name) = object, let section = SpecSection(rawValue: name)
    else {
      if isOption { return "keep one of them, and remove the other" }
      if case .root = object { return "keep one of them, and remove the other" }
      return "remove or rename one of them"
    }
    var number = 2
    while stack[stack.count - 1].places[Array("\(key)_\(number)".utf8)] != nil { number += 1 }
    let new = quoted("\(key)_\(number)")
    return "two stages cannot have one name: rename this one, to \(new) say"
      + (section == .sinks
        ? ""
        : ", and put \(new) in the \"inputs\" of the stages that are to read it; if it works on what the first one makes, give it \"inputs\": [\(quoted(key))]")
      + "; or remove one of them"
  }

  private mutating func colon(_ key: String, _ pointer: SpecPointer) {
    let end = scanner.at
    if scanner.starts(with: "\":"), scanner.at > 0, scanner.bytes[end - 1] == UInt8(ascii: "\"") {
      scanner.reportQuote(pointer)
    }
    scanner.skipSpace(pointer)
    guard !scanner.stopped else { return }
    switch scanner.byte {
    case UInt8(ascii: ":"): scanner.at += 1
    case UInt8(ascii: "="):
      scanner.add(
        "missing_colon", scanner.at..<scanner.at + 1, pointer,
        "a colon stands between a key and its value", fix: "write : in its place")
      scanner.at += scanner.starts(with: "=>") ? 2 : 1
    case UInt8(ascii: ","), UInt8(ascii: "}"), nil:
      scanner.stop(
        "missing_value", end..<end, pointer, "the key \(shown(key)) has no value",
        fix: stack[stack.count - 1].members.isEmpty
          ? "a list stands in [ ]: write \(asList(stack[stack.count - 1].start) ?? "[\(quoted(key)), ...]"); in { } every key has a colon and a value"
          : "write \(quoted(key)): and its value")
      noteType()
    default:
      if scanner.at == end, scanner.endsLate(isKey: true, pointer) { return }
      scanner.add(
        "missing_colon", end..<end, pointer, "a colon is missing after the key \(shown(key))",
        fix: "put a colon here")
    }
  }

  private mutating func finish() {
    scanner.skipSpace(.root)
    if !scanner.stopped, scanner.byte != nil {
      trailingText()
    }
  }
}
