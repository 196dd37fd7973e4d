/// Reads a page as a browser's tokenizer would, byte by byte, and remembers what it is made of.
///
/// It knows what the page uses: tags, attributes with and without quotes, comments, the doctype, and
/// elements whose content is text only. What it does not know is an error of the test.
struct ReportMarkupReader {
  /// `a`, `a@href`: every element, and every attribute on it.
  var shape: Set<String> = []
  /// Values of the attributes that name or point to something.
  var ids: [String] = []
  var links: [String] = []
  /// Everything outside tags, styles and scripts, entities left as they are.
  var text: [UInt8] = []
  var style: [UInt8] = []
  var script: [UInt8] = []
  /// What does not fit together: an end tag without its start, a comment, an odd byte.
  var problems: [String] = []

  private let bytes: [UInt8]
  private var at = 0
  private var open: [String] = []
  private static let empty: Set<String> = ["meta", "input", "wbr", "br", "hr", "img", "link"]

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    read()
    if !open.isEmpty { problems.append("not closed: \(open)") }
  }

  private mutating func read() {
    while at < bytes.count {
      guard bytes[at] == UInt8(ascii: "<") else {
        text.append(bytes[at])
        at += 1
        continue
      }
      if starts("<!doctype html>") {
        at += 15
      } else if starts("<!") || starts("<?") {
        problems.append("comment or declaration at \(at)")
        at += 2
      } else if starts("</") {
        at += 2
        let name = word()
        if open.last == name { open.removeLast() } else { problems.append("end of \(name)") }
        skip(to: ">")
      } else if at + 1 < bytes.count, isLetter(bytes[at + 1]) {
        at += 1
        tag()
      } else {
        problems.append("a bare < at \(at)")
        at += 1
      }
    }
  }

  private mutating func tag() {
    let name = word()
    shape.insert(name)
    var closesItself = false
    while at < bytes.count, bytes[at] != UInt8(ascii: ">") {
      if bytes[at] <= 0x20 {
        at += 1
      } else if bytes[at] == UInt8(ascii: "/") {
        closesItself = true
        at += 1
      } else {
        attribute(of: name)
      }
    }
    at += 1
    if Self.empty.contains(name) || closesItself { return }
    open.append(name)
    guard ["style", "script", "title"].contains(name), open.count < 4 else { return }
    let start = at
    let end = Array("</\(name)".utf8)
    while at < bytes.count, bytes[at] != end[0] || !bytes[at...].starts(with: end) { at += 1 }
    if name == "style" { style = Array(bytes[start..<at]) }
    if name == "script" { script = Array(bytes[start..<at]) }
  }

  private mutating func attribute(of element: String) {
    let start = at
    while at < bytes.count, bytes[at] > 0x20, !"=>/".utf8.contains(bytes[at]) { at += 1 }
    let name = String(decoding: bytes[start..<at], as: UTF8.self)
    if at == start { at += 1 }
    shape.insert("\(element)@\(name)")
    var value = ""
    if at < bytes.count, bytes[at] == UInt8(ascii: "=") {
      at += 1
      let quote = bytes[at]
      let begin: Int
      if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
        at += 1
        begin = at
        while at < bytes.count, bytes[at] != quote { at += 1 }
        value = String(decoding: bytes[begin..<at], as: UTF8.self)
        at += 1
      } else {
        begin = at
        while at < bytes.count, bytes[at] > 0x20, bytes[at] != UInt8(ascii: ">") { at += 1 }
        value = String(decoding: bytes[begin..<at], as: UTF8.self)
      }
    }
    switch name {
    case "id": ids.append(value)
    case "href", "for": links.append(value)
    case "aria-labelledby": links += value.split(separator: " ").map { "#" + $0 }
    default: break
    }
  }

  private func starts(_ text: String) -> Bool { bytes[at...].starts(with: text.utf8) }
  private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

  private mutating func word() -> String {
    let start = at
    while at < bytes.count, isLetter(bytes[at]) || (0x30...0x39).contains(bytes[at]) { at += 1 }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  private mutating func skip(to end: Unicode.Scalar) {
    while at < bytes.count, bytes[at] != UInt8(ascii: end) { at += 1 }
    at += 1
  }
}
