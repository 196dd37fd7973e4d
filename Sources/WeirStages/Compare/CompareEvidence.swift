import WeirData
import WeirEngine
import WeirStatistics

/// The records behind differences: exemplars of side b, controls of side a.
struct CompareEvidence {
  let rules: CompareRules
  let calendar: TrendCalendar

  typealias Difference = (
    subject: CompareSubject, isUp: Bool, metric: Int, why: FieldExplanation?
  )

  /// One list for each of `differences`; the first have records.
  func choose(
    _ differences: [Difference], _ kept: KeptParts
  ) throws -> [[EvidenceRecord]] {
    let wishes = differences.enumerated().map { i, one in
      i < EvidenceChoice.findingsMost ? wish(one) : nil
    }
    var choice = EvidenceChoice(
      wishes, classes: max(1, 2 * rules.series.conditionCount), calendar: calendar)
    try choice.look(at: kept)
    return differences.indices.map { choice.records($0) }
  }

  private func wish(_ one: Difference) -> EvidenceChoice.Wish {
    let (a, b) = (one.subject.a, one.subject.b)
    let roles = calendar.starts.indices.map { t -> EvidenceRecord.Role? in
      b.buckets.contains(t) ? .exemplar : a.buckets.contains(t) ? .control : nil
    }
    // Groups have the field that is compared behind those of the key.
    var wish = EvidenceChoice.Wish(
      key: one.subject.key, roles: roles, isUp: one.isUp, metric: one.metric, rules: rules.series,
      why: one.why)
    if rules.field != nil, let value = b.value {
      wish.split = EvidenceChoice.Split(field: rules.by, exemplars: value, controls: a.value)
    }
    wish.places = ("of \(b.name)", "of \(a.name)")
    return wish
  }
}
