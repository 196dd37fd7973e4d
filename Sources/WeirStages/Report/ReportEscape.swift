/// Makes any bytes harmless and visible in HTML.
enum ReportEscape {
  enum Marks {
    /// What cannot be seen becomes `<span class=cp>U+202E</span>`.
    case elements
    /// ... becomes `[U+202E]`.
    case brackets
  }

  /// Input bytes after which a text is cut: a market name can be 8 MiB long and stands in a hundred
  /// places.
  static let longest = 1_000

  /// Appends `input` with `& < > " '` as entities. Controls, marks of direction, invisible and
  /// replacement characters and bytes that are not UTF-8 are shown by their numbers.
  static func append(
    _ input: [UInt8], to out: inout [UInt8], marks: Marks, limit: Int = longest
  ) {
    var i = 0
    while i < input.count {
      if i >= limit {
        out += "…".utf8
        return
      }
      let (scalar, length) = decode(input, i)
      switch scalar {
      case 0x26: out += "&amp;".utf8
      case 0x3C: out += "&lt;".utf8
      case 0x3E: out += "&gt;".utf8
      case 0x22: out += "&quot;".utf8
      case 0x27: out += "&#39;".utf8
      case .some(let scalar) where isHidden(scalar):
        show("U+" + hex(scalar, width: 4), marks, &out)
      case .some: out += input[i..<i + length]
      case nil: show("0x" + hex(UInt32(input[i]), width: 2), marks, &out)
      }
      i += length
    }
  }

  private static func show(_ name: String, _ marks: Marks, _ out: inout [UInt8]) {
    out += (marks == .elements ? "<span class=cp>" : "[").utf8
    out += name.utf8
    out += (marks == .elements ? "</span>" : "]").utf8
  }

  /// Characters that a reader would not see, or that change what the reader sees around them.
  private static func isHidden(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0...0x1F, 0x7F...0x9F: true  // controls
    case 0x00AD, 0x200B, 0x2060...0x2064, 0xFEFF: true  // without width
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x206F: true  // direction
    case 0x2028, 0x2029: true  // line and paragraph
    case 0xFFF9...0xFFFD, 0xE0000...0xE007F: true  // replacement, annotations, tags
    case 0xFDD0...0xFDEF: true
    default: scalar & 0xFFFE == 0xFFFE  // not characters
    }
  }

  /// The scalar that begins at `i` and its length; `nil` and 1 where the bytes are not UTF-8
  /// (Unicode 16, table 3-7).
  private static func decode(_ input: [UInt8], _ i: Int) -> (UInt32?, Int) {
    let first = input[i]
    if first < 0x80 { return (UInt32(first), 1) }
    let (length, bounds): (Int, ClosedRange<UInt8>)
    switch first {
    case 0xC2...0xDF: (length, bounds) = (2, 0x80...0xBF)
    case 0xE0: (length, bounds) = (3, 0xA0...0xBF)
    case 0xED: (length, bounds) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, bounds) = (3, 0x80...0xBF)
    case 0xF0: (length, bounds) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, bounds) = (4, 0x80...0xBF)
    case 0xF4: (length, bounds) = (4, 0x80...0x8F)
    default: return (nil, 1)
    }
    guard i + length <= input.count, bounds.contains(input[i + 1]) else { return (nil, 1) }
    var scalar = UInt32(first) & (0x7F >> UInt32(length))
    for byte in input[i + 1..<i + length] {
      guard byte & 0xC0 == 0x80 else { return (nil, 1) }
      scalar = scalar << 6 | UInt32(byte & 0x3F)
    }
    return (scalar, length)
  }

  private static func hex(_ value: UInt32, width: Int) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
