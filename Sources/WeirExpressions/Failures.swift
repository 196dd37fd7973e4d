import WeirData

/// Why an operation has no value. A failure's number is 64 times one more than the index of the part
/// in its tree, plus one of these.
enum FailureKind: UInt32, Error, CaseIterable {
  case leftNull, rightNull, wrongType, overflow, divisionByZero, tooLong, notBool
  case noSuchKey, noSuchIndex, notAKey, repeatedKey, noValue
  case notANumber, notABool, outOfRange, notATime, notADuration, timeRange, durationRange, notAZone
  case notAPattern, notUTF8, notBase64, badFormat, badOffset, negativeShift
  case budget, textGone, jsonNumber, jsonText, jsonDepth, jsonKey
  case tooFine, notFinite, notStorable, keysAlike
  /// Only where types are not checked: what the checker refused.
  case refused

  static func base(of node: Int) -> UInt32 { UInt32(node + 1) << 6 }
}

/// Thrown where a value is computed; see ``FailureKind``.
struct Failed: Error {
  var number: UInt32
}

extension Tree {
  /// What a failure's number stands for.
  ///
  /// - Returns: a sentence without a full stop, and the place that it speaks of.
  func failure(_ number: UInt32) -> (message: String, span: SourceSpan) {
    let index = Int(number >> 6) - 1
    let node = nodes[index]
    let kind = FailureKind(rawValue: number & 63) ?? .wrongType
    let what: String
    switch kind {
    case .leftNull: what = "\(shown(node.operands.first ?? index)) is null"
    case .rightNull: what = "\(shown(node.operands.last ?? index)) is null"
    default: what = kind.phrase
    }
    return ("\(what) in \(shown(index))", node.span)
  }

  private func shown(_ index: Index) -> String { "`\(source.text(nodes[index].span))`" }
}

extension FailureKind {
  /// For messages, without the place.
  var phrase: String {
    switch self {
    case .leftNull, .rightNull: "a value is null"
    case .wrongType: "the types do not fit"
    case .overflow: "the result does not fit 64 bits"
    case .divisionByZero: "division by zero"
    case .tooLong: "the text is longer than \(ExpressionLimits.stringBytes) bytes"
    case .notBool: "it is neither true nor false"
    case .noSuchKey: "there is no such key"
    case .noSuchIndex: "the index is outside the list"
    case .notAKey: "this cannot be a key: keys are strings, ints, uints and bools"
    case .repeatedKey: "a key stands twice"
    case .noValue: "the optional is empty"
    case .notANumber: "the text is not a number of that type"
    case .notABool: "the text is neither true nor false"
    case .outOfRange: "the number is outside the range of the type"
    case .notATime: "the text is not an RFC 3339 time"
    case .notADuration: "the text is not a duration such as 1h30m"
    case .timeRange: "the time is outside the years 1 to 9999"
    case .durationRange: "the duration is longer than 292 years"
    case .notAZone: "there is no such time zone"
    case .notAPattern: "the pattern is not a regular expression that RE2 takes"
    case .notUTF8: "the bytes are not UTF-8"
    case .notBase64: "the text is not base64"
    case .badFormat: "the format and its values do not fit"
    case .badOffset: "the offset is outside the text"
    case .negativeShift: "bits cannot be shifted by less than 0"
    case .budget:
      "it takes more than \(ExpressionLimits.steps) steps for one record"
    case .textGone: "the object or array was not kept in this pass"
    case .jsonNumber: "the object or array holds an integer that does not fit 64 bits"
    case .jsonText: "the object or array holds half of a surrogate pair, which is no text"
    case .jsonDepth: "the object or array is nested more than \(ExpressionLimits.jsonDepth) deep"
    case .jsonKey: "the object holds a key twice"
    case .tooFine: "the time is finer than a microsecond"
    case .notFinite: "a number in it is not finite, and JSON has no such number"
    case .notStorable: "an optional cannot be put into a record"
    case .keysAlike: "two of its keys are the same text in JSON"
    case .refused: "this has no meaning"
    }
  }
}
