/// Bytes of HTML under construction.
///
/// Markup can only come from literals in this source: what is interpolated is escaped. Strings are
/// read as UTF-8 bytes, never as `Character`s: a quotation mark with a combining accent is another
/// `Character`, and the browser still sees the mark.
struct ReportMarkup: ExpressibleByStringInterpolation, Sendable {
  private(set) var bytes: [UInt8]

  init(stringLiteral value: String) {
    bytes = Array(value.utf8)
  }

  init(stringInterpolation: StringInterpolation) {
    bytes = stringInterpolation.bytes
  }

  static func += (left: inout ReportMarkup, right: ReportMarkup) {
    left.bytes += right.bytes
  }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var bytes: [UInt8] = []

    init(literalCapacity: Int, interpolationCount: Int) {
      bytes.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ literal: String) {
      bytes += literal.utf8
    }

    /// Text between tags.
    mutating func appendInterpolation(_ text: String) {
      ReportEscape.append(Array(text.utf8), to: &bytes, marks: .elements)
    }

    /// Text between tags from bytes that may not be UTF-8, cut at `limit` bytes.
    mutating func appendInterpolation(_ text: [UInt8], limit: Int = ReportEscape.longest) {
      ReportEscape.append(text, to: &bytes, marks: .elements, limit: limit)
    }

    /// The value of a quoted attribute, or text where no element may stand (an SVG title).
    mutating func appendInterpolation(value text: String) {
      ReportEscape.append(Array(text.utf8), to: &bytes, marks: .brackets)
    }

    mutating func appendInterpolation(_ number: Int) {
      bytes += String(number).utf8
    }

    /// A coordinate, with at most one decimal.
    mutating func appendInterpolation(at coordinate: Double) {
      ReportNumber.appendCoordinate(coordinate, to: &bytes)
    }

    mutating func appendInterpolation(_ inner: ReportMarkup) {
      bytes += inner.bytes
    }
  }
}

extension Sequence where Element == ReportMarkup {
  func joined(_ separator: ReportMarkup = "") -> ReportMarkup {
    var all: ReportMarkup = ""
    for (i, one) in enumerated() {
      if i > 0 { all += separator }
      all += one
    }
    return all
  }
}

/// `markup`, or nothing. A literal in a `?:` would be taken for a String, and escaped.
func when(_ condition: Bool, _ markup: @autoclosure () -> ReportMarkup) -> ReportMarkup {
  condition ? markup() : ""
}
