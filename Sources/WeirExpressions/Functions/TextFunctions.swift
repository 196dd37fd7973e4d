/// CEL's string extension. Positions count code points; text is UTF-8.
enum TextFunctions {
  static func apply(_ function: Function, _ values: [Value]) throws(FailureKind) -> Value {
    if function == .join { return .string(try join(values)) }
    guard case .string(let text) = values[0] else { throw .wrongType }
    switch function {
    case .charAt: return .string(try charAt(text, int(values, 1)))
    case .indexOf: return .int(try indexOf(text, string(values, 1), optionalInt(values, 2)))
    case .lastIndexOf: return .int(try lastIndexOf(text, string(values, 1), optionalInt(values, 2)))
    case .lowerAscii:
      return .string(text.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 })
    case .upperAscii:
      return .string(text.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & 0xDF : $0 })
    case .replace:
      return .string(
        try replace(text, string(values, 1), string(values, 2), optionalInt(values, 3)))
    case .split: return .list(try split(text, string(values, 1), optionalInt(values, 2)))
    case .substring: return .string(try substring(text, int(values, 1), optionalInt(values, 2)))
    case .trim: return .string(trim(text))
    case .reverse: return .string(Array(characters(text).reversed().joined()))
    case .quote: return .string(quote(text))
    default: throw .wrongType
    }
  }

  // MARK: - Operands

  private static func string(_ values: [Value], _ at: Int) throws(FailureKind) -> [UInt8] {
    guard case .string(let bytes) = values[at] else { throw .wrongType }
    return bytes
  }

  private static func int(_ values: [Value], _ at: Int) throws(FailureKind) -> Int64 {
    guard case .int(let value) = values[at] else { throw .wrongType }
    return value
  }

  private static func optionalInt(_ values: [Value], _ at: Int) throws(FailureKind) -> Int64? {
    at < values.count ? try int(values, at) : nil
  }

  // MARK: - Code points

  static func size(_ text: [UInt8]) -> Int {
    var count = 0
    for byte in text where byte & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// Where each code point begins, and the end.
  private static func starts(_ text: [UInt8]) -> [Int] {
    var starts: [Int] = []
    for (at, byte) in text.enumerated() where byte & 0xC0 != 0x80 { starts.append(at) }
    starts.append(text.count)
    return starts
  }

  private static func characters(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    let starts = starts(text)
    return (0..<starts.count - 1).map { text[starts[$0]..<starts[$0 + 1]] }
  }

  private static func charAt(_ text: [UInt8], _ place: Int64) throws(FailureKind) -> [UInt8] {
    let starts = starts(text)
    guard place >= 0, place < Int64(starts.count) else { throw .badOffset }
    guard place < Int64(starts.count - 1) else { return [] }
    return Array(text[starts[Int(place)]..<starts[Int(place) + 1]])
  }

  private static func substring(
    _ text: [UInt8], _ start: Int64, _ end: Int64?
  ) throws(FailureKind) -> [UInt8] {
    let starts = starts(text)
    let count = Int64(starts.count - 1)
    let end = end ?? count
    guard start >= 0, start <= end, end <= count else { throw .badOffset }
    return Array(text[starts[Int(start)]..<starts[Int(end)]])
  }

  // MARK: - Finding

  static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    if part.isEmpty { return true }
    guard part.count <= text.count else { return false }
    return text.withUnsafeBufferPointer { text in
      part.withUnsafeBufferPointer {
        ByteSearch.contains(text.baseAddress!, text.count, $0.baseAddress!, $0.count)
      }
    }
  }

  /// Where `part` begins, each as far behind the one before that they do not overlap.
  private static func places(_ text: [UInt8], _ part: [UInt8], most: Int) -> [Int] {
    var found: [Int] = []
    // Knuth, Morris, Pratt (1977): linear whatever the texts are.
    let border = ByteSearch.borders(part)
    var matched = 0
    var at = 0
    while at < text.count, found.count < most {
      while matched > 0, text[at] != part[matched] { matched = border[matched - 1] }
      if text[at] == part[matched] { matched += 1 }
      at += 1
      if matched == part.count {
        found.append(at - part.count)
        matched = 0
      }
    }
    return found
  }

  private static func indexOf(
    _ text: [UInt8], _ part: [UInt8], _ offset: Int64?
  ) throws(FailureKind) -> Int64 {
    let starts = starts(text)
    let offset = offset ?? 0
    guard offset >= 0, offset < Int64(starts.count) else { throw .badOffset }
    if part.isEmpty { return offset }
    let from = starts[Int(offset)]
    guard let place = places(Array(text[from...]), part, most: 1).first else { return -1 }
    return offset + Int64(size(Array(text[from..<from + place])))
  }

  /// The last place at `offset` or before it.
  private static func lastIndexOf(
    _ text: [UInt8], _ part: [UInt8], _ offset: Int64?
  ) throws(FailureKind) -> Int64 {
    let starts = starts(text)
    let count = Int64(starts.count - 1)
    guard (offset ?? 0) >= 0, (offset ?? 0) <= count else { throw .badOffset }
    if part.isEmpty { return offset ?? count }
    // Read backwards, the last place is the first.
    let limit = offset.map { min(text.count, starts[Int($0)] + part.count) } ?? text.count
    let backwards = Array(text[..<limit].reversed())
    guard let place = places(backwards, part.reversed(), most: 1).first else { return -1 }
    return Int64(size(Array(text[..<(limit - place - part.count)])))
  }

  // MARK: - Building

  private static func join(_ values: [Value]) throws(FailureKind) -> [UInt8] {
    guard case .list(let elements) = values[0] else { throw .wrongType }
    let separator = values.count > 1 ? try string(values, 1) : []
    var joined: [UInt8] = []
    for (at, element) in elements.enumerated() {
      guard case .string(let text) = element else { throw .wrongType }
      if at > 0 { joined += separator }
      joined += text
      try check(joined.count)
    }
    return joined
  }

  private static func check(_ count: Int) throws(FailureKind) {
    guard count <= ExpressionLimits.stringBytes else { throw .tooLong }
  }

  /// - Parameter limit: how often; without bound where it is negative or not given.
  private static func replace(
    _ text: [UInt8], _ old: [UInt8], _ new: [UInt8], _ limit: Int64?
  ) throws(FailureKind) -> [UInt8] {
    let most = limit.map { $0 < 0 ? Int.max : Int(clamping: $0) } ?? Int.max
    guard most > 0 else { return text }
    var made: [UInt8] = []
    if old.isEmpty {
      // Before each code point and at the end.
      let parts = characters(text)
      for (at, part) in parts.enumerated() {
        if at < most { made += new }
        made += part
        try check(made.count)
      }
      if parts.count < most { made += new }
      try check(made.count)
      return made
    }
    var from = 0
    for place in places(text, old, most: most) {
      made += text[from..<place]
      made += new
      from = place + old.count
      try check(made.count)
    }
    made += text[from...]
    try check(made.count)
    return made
  }

  /// - Parameter limit: of parts, the last of which is the rest; none where it is 0.
  private static func split(
    _ text: [UInt8], _ separator: [UInt8], _ limit: Int64?
  ) throws(FailureKind) -> [Value] {
    let most = limit.map { $0 < 0 ? Int.max : Int(clamping: $0) } ?? Int.max
    if most == 0 { return [] }
    if most == 1 { return [.string(text)] }
    if separator.isEmpty {
      let parts = characters(text)
      guard parts.count > most else { return parts.map { .string(Array($0)) } }
      let rest = parts[(most - 1)...].joined()
      return parts[..<(most - 1)].map { .string(Array($0)) } + [.string(Array(rest))]
    }
    var parts: [Value] = []
    var from = 0
    for place in places(text, separator, most: most - 1) {
      parts.append(.string(Array(text[from..<place])))
      from = place + separator.count
    }
    parts.append(.string(Array(text[from...])))
    return parts
  }

  /// White space of Unicode at both ends.
  private static func trim(_ text: [UInt8]) -> [UInt8] {
    var parts = characters(text)[...]
    while let first = parts.first, isSpace(first) { parts = parts.dropFirst() }
    while let last = parts.last, isSpace(last) { parts = parts.dropLast() }
    return Array(parts.joined())
  }

  private static func isSpace(_ character: ArraySlice<UInt8>) -> Bool {
    guard let scalar = String(decoding: character, as: UTF8.self).unicodeScalars.first else {
      return false
    }
    switch scalar.value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      return true
    default: return false
    }
  }

  /// The text as a literal in double quotes.
  private static func quote(_ text: [UInt8]) -> [UInt8] {
    var quoted: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text {
      let letter: Unicode.Scalar? =
        switch byte {
        case 0x07: "a"
        case 0x08: "b"
        case 0x0C: "f"
        case 0x0A: "n"
        case 0x0D: "r"
        case 0x09: "t"
        case 0x0B: "v"
        case UInt8(ascii: "\\"): "\\"
        case UInt8(ascii: "\""): "\""
        default: nil
        }
      if let letter {
        quoted += [UInt8(ascii: "\\"), UInt8(ascii: letter)]
      } else {
        quoted.append(byte)
      }
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }
}
