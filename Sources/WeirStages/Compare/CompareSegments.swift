import WeirStatistics

extension TrendSegments {
  /// What carries a difference: one for each field; none of a metric that cannot be taken apart.
  func explain(
    _ subject: CompareSubject, metric: Int, _ result: SideComparison, by rules: CompareRules
  ) -> [FieldExplanation] {
    let column = Dictionary(
      uniqueKeysWithValues: subject.a.buckets.sorted().enumerated().map { ($1, $0) })
    let sides = ComparedSides(
      key: subject.key, columns: column.count, sizeA: Double(result.bucketsA),
      sizeB: Double(result.bucketsB))
    return explain(sides, metric: metric) { parts, t in
      guard rules.field != nil else {
        return column[t].map { .a(column: $0) } ?? (subject.b.buckets.contains(t) ? .b : nil)
      }
      guard let column = column[t] else { return nil }
      let value = parts[rules.by]
      if value == subject.b.value { return .b }
      // Without a value it is the rest.
      return subject.a.value.map { $0 == value } ?? true ? .a(column: column) : nil
    }
  }
}
