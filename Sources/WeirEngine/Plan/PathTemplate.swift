import WeirData

/// A path below the output directory with field values in it: `market={market}/{ts:%Y-%m-%d}.jsonl`.
///
/// Values are percent-encoded outside `[A-Za-z0-9._-]`, null and absent are `__null__`, so that no
/// record can write anywhere else.
public struct PathTemplate: Sendable {
  public enum Part: Sendable {
    case text([UInt8])
    /// A field, and for a timestamp how it is written (`strftime` letters `Y m d H M S`).
    case field(FieldPath, column: Int, format: [UInt8]?)
  }
  public let parts: [Part]

  /// The path where it has no field in it.
  public var fixedPath: String? {
    var path: [UInt8] = []
    for part in parts {
      guard case .text(let bytes) = part else { return nil }
      path += bytes
    }
    return String(decoding: path, as: UTF8.self)
  }

  public var columns: [Int] {
    parts.compactMap { if case .field(_, let column, _) = $0 { column } else { nil } }
  }

  /// Reads a template; its fields must be in `scope` (`nil`: no fields are allowed).
  public init?(
    _ text: String, scope: Scope?, at node: SpecNode, _ problems: inout Problems
  ) {
    var parts: [Part] = []
    var literal: [UInt8] = []
    let bytes = Array(text.utf8)
    var at = 0
    while at < bytes.count {
      guard bytes[at] == UInt8(ascii: "{") else {
        literal.append(bytes[at])
        at += 1
        continue
      }
      guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else {
        problems.add(
          "bad_path", at: node, within: at..<bytes.count, "a { without its }",
          fix:
            "close it: {\(String(decoding: bytes[(at + 1)...].prefix { isNameByte($0) || $0 == UInt8(ascii: ".") }, as: UTF8.self))}"
        )
        return nil
      }
      if !literal.isEmpty { parts.append(.text(literal)) }
      literal = []
      guard
        let part = PathTemplate.field(bytes[(at + 1)..<end], scope, at..<(end + 1), node, &problems)
      else { return nil }
      parts.append(part)
      at = end + 1
    }
    if !literal.isEmpty { parts.append(.text(literal)) }
    self.parts = parts
    guard PathTemplate.isSafe(bytes) else {
      problems.add(
        "bad_path", at: node, "\(text) may lie outside of the output directory",
        expected:
          "a path below that directory (which --out sets), without .. and without empty parts",
        fix: PathTemplate.mended(bytes).map { quoted($0) } ?? "write for example \"findings.jsonl\""
      )
      return nil
    }
  }

  /// The path without the parts that may not be in it.
  private static func mended(_ path: [UInt8]) -> String? {
    let steps = path.split(separator: UInt8(ascii: "/"))
      .filter { !$0.elementsEqual([0x2E]) && !$0.elementsEqual([0x2E, 0x2E]) }
    guard let last = steps.last, !path.contains(0) else { return nil }
    let kept = path.first == UInt8(ascii: "/") ? [last] : steps[...]
    return String(decoding: Array(kept.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
  }

  /// `weekly.csv` for `day={day}/weekly-{market}.csv`; `nil` where no name is left.
  private static func withoutFields(_ path: String) -> String? {
    let open = UInt8(ascii: "{")
    var steps = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
    guard var file = steps.popLast() else { return nil }
    steps.removeAll { $0.contains(open) }
    while let start = file.firstIndex(of: open) {
      guard let end = file[start...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
      let isJoined = start > 0 && [UInt8(ascii: "-"), UInt8(ascii: "_")].contains(file[start - 1])
      file.removeSubrange((isJoined ? start - 1 : start)...end)
    }
    guard let first = file.first, first != UInt8(ascii: "."), !file.contains(UInt8(ascii: "="))
    else { return nil }
    return String(
      decoding: Array((steps + [file]).joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
  }

  private static func field(
    _ text: ArraySlice<UInt8>, _ scope: Scope?, _ place: Range<Int>, _ node: SpecNode,
    _ problems: inout Problems
  ) -> Part? {
    let halves = text.split(
      separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(decoding: halves[0], as: UTF8.self)
    guard let scope else {
      problems.add(
        "bad_path", at: node, within: place, "this sink writes one file: its path has no fields",
        fix: withoutFields(node.string ?? "").map {
          "write \(quoted($0)): one file holds the rows of all"
        } ?? "take {\(name)} out: one file holds the rows of all")
      return nil
    }
    guard let path = FieldPath(text: name) else {
      problems.add(
        "bad_path", at: node, within: place, "`\(name)` is not a field path",
        expected: "a field between the braces", fix: "write for example {market}")
      return nil
    }
    guard
      let field = scope.require(
        path, at: node, within: (place.lowerBound + 1)..<(place.lowerBound + 1 + halves[0].count),
        &problems)
    else { return nil }
    let format = halves.count > 1 ? Array(halves[1]) : nil
    if let format {
      guard field.type.base == .timestamp, isFormat(format) else {
        problems.add(
          "bad_path", at: node, within: place,
          field.type.base == .timestamp
            ? "\(String(decoding: format, as: UTF8.self)) is no date format"
            : "`\(name)` is of type \(field.type.text), and only a timestamp has a format",
          expected: field.type.base == .timestamp
            ? "a format made of %Y %m %d %H %M %S"
            : "{\(name)}, or a field of type timestamp with the format",
          fix: field.type.base == .timestamp
            ? "{\(name):%Y-%m-%d}"
            : scope.likelyTimestamp(for: path).map { time in
              "{\(time):\(String(decoding: format, as: UTF8.self))}, or {\(name)} without a format"
            } ?? "{\(name)}")
        return nil
      }
    } else if field.type.base == .any {
      problems.add(
        "bad_path", at: node, within: place, "`\(name)` may be of any type",
        fix: "declare its type, or normalize it first")
      return nil
    }
    return .field(path, column: field.column, format: format)
  }

  private static func isFormat(_ format: [UInt8]) -> Bool {
    var at = 0
    var hasLetter = false
    while at < format.count {
      if format[at] == UInt8(ascii: "%") {
        guard at + 1 < format.count, Array("YmdHMS".utf8).contains(format[at + 1]) else {
          return false
        }
        hasLetter = true
        at += 1
      } else if format[at] == UInt8(ascii: "/") {
        return false
      }
      at += 1
    }
    return hasLetter
  }

  private static func isSafe(_ path: [UInt8]) -> Bool {
    guard !path.isEmpty, !path.contains(0) else { return false }
    return path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && !$0.elementsEqual([0x2E]) && !$0.elementsEqual([0x2E, 0x2E])
    }
  }

  /// Appends the path of row `row`. Where values make it the place of the manifest, its first byte is
  /// percent-encoded too: no value can be in the way of a run.
  public func append(row: Int, of batch: borrowing Batch, to out: inout [UInt8]) {
    let start = out.count
    defer { keepOffManifest(&out, from: start) }
    for part in parts {
      switch part {
      case .text(let bytes): out.append(contentsOf: bytes)
      case .field(_, let column, let format):
        append(batch.column(column)[row], format, to: &out)
      }
    }
  }

  private func keepOffManifest(_ out: inout [UInt8], from start: Int) {
    let path = out[start...]
    guard path.first == UInt8(ascii: "m"),
      OutputDirectory.isManifest(String(decoding: path, as: UTF8.self))
    else { return }
    out.replaceSubrange(start...start, with: Array("%6D".utf8))
  }

  private func append(_ cell: Cell, _ format: [UInt8]?, to out: inout [UInt8]) {
    switch cell.kind {
    case .missing, .null: out.append(contentsOf: Array("__null__".utf8))
    case .string: appendEncoded(cell.stringBytes, to: &out)
    case .int: out.append(contentsOf: Array(String(cell.intValue).utf8))
    case .number: out.append(contentsOf: Array("\(cell.numberValue)".utf8))
    case .bool: out.append(contentsOf: Array((cell.boolValue ? "true" : "false").utf8))
    case .timestamp:
      var text: [UInt8] = []
      Timestamp(microseconds: cell.intValue).append(to: &text)
      guard let format else {
        text.withUnsafeBufferPointer { appendEncoded($0, to: &out) }
        return
      }
      appendTime(text, format, to: &out)
    case .other: out.append(contentsOf: Array("__other__".utf8))
    }
  }

  /// - Parameter time: RFC 3339 in UTC, whose parts stand at fixed places.
  private func appendTime(_ time: [UInt8], _ format: [UInt8], to out: inout [UInt8]) {
    var at = 0
    while at < format.count {
      guard format[at] == UInt8(ascii: "%") else {
        [format[at]].withUnsafeBufferPointer { appendEncoded($0, to: &out) }
        at += 1
        continue
      }
      let range: Range<Int>
      switch format[at + 1] {
      case UInt8(ascii: "Y"): range = 0..<4
      case UInt8(ascii: "m"): range = 5..<7
      case UInt8(ascii: "d"): range = 8..<10
      case UInt8(ascii: "H"): range = 11..<13
      case UInt8(ascii: "M"): range = 14..<16
      default: range = 17..<19
      }
      out.append(contentsOf: time[range])
      at += 2
    }
  }
}

/// The longest value that stands in a path as it is; longer ones are cut and marked by their hash.
private let encodedBytesMax = 150

/// Percent-encodes a value for a path: nothing in it can be a separator or a dot path.
public func appendEncoded(_ bytes: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
  let digits = Array("0123456789ABCDEF".utf8)
  let start = out.count
  let isDots = !bytes.isEmpty && bytes.allSatisfy { $0 == UInt8(ascii: ".") }
  // A value may not pass for one of Weir's own words, which begin with two underscores.
  let isReserved = bytes.starts(with: Array("__".utf8))
  for (i, byte) in bytes.enumerated() {
    switch byte {
    case UInt8(ascii: "_") where i == 0 && isReserved: out.append(contentsOf: Array("%5F".utf8))
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      out.append(byte)
    case UInt8(ascii: ".") where !isDots: out.append(byte)
    default:
      out.append(UInt8(ascii: "%"))
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
  }
  if bytes.isEmpty { out.append(contentsOf: Array("__empty__".utf8)) }
  if out.count - start > encodedBytesMax {
    out.removeSubrange((start + encodedBytesMax - 34)...)
    out.append(UInt8(ascii: "~"))
    out.append(contentsOf: Array(hexText(sha256(Array(bytes)).prefix(16)).utf8))
  }
}
