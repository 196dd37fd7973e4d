extension Program {
  /// What a failure's number stands for.
  func failure(_ number: UInt32) -> (message: String, span: SourceSpan) {
    let index = Int(number / 8) - 1
    let span = spans[index]
    let kind = FailureKind(rawValue: number % 8) ?? .wrongType
    let operands = operations[index].operands
    let what: String
    switch kind {
    case .leftNull: what = "\(shown(operands.first ?? index)) is null"
    case .rightNull: what = "\(shown(operands.last ?? index)) is null"
    case .wrongType: what = "the types do not fit"
    case .overflow: what = "the result does not fit 64 bits"
    case .divisionByZero: what = "division by zero"
    case .tooLong: what = "the text is longer than \(ExpressionLimits.stringBytes) bytes"
    case .notComparable: what = "objects and arrays cannot be compared"
    case .notBool: what = "it is neither true nor false"
    }
    return ("\(what) in \(shown(index)) (column \(span.start + 1))", span)
  }

  private func shown(_ index: Index) -> String { "`\(source.text(spans[index]))`" }
}
