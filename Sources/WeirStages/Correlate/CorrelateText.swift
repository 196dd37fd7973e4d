import WeirData
import WeirStatistics

/// Says a relation in sentences that can be pasted into a mail.
struct CorrelateText {
  let a: TrendSeries
  let b: TrendSeries
  let by: [String]
  let found: LeadLag
  /// `nil`: the two differ in the metric.
  let field: Int?
  /// Whether it is listed low.
  let isWeak: Bool
  let minimum: Double
  let bucket: String

  private var isSame: Bool { found.r.value > 0 }
  private var nameA: String { groupText(a.key, by: by) }
  private var nameB: String { groupText(b.key, by: by) }
  private var metricA: String { plainName(a.metric) }
  private var metricB: String { plainName(b.metric) }

  private func buckets(_ count: Int) -> String { "\(count) \(bucket)\(count == 1 ? "" : "s")" }
  static func number(_ r: Double) -> String { PlainNumbers.fixed(r, decimals: 2) }

  var headline: String {
    let r = "(r \(Self.number(found.r.value)))"
    guard found.isLead else {
      let how = isSame ? "together" : "in opposite directions"
      return field == nil
        ? "\(nameA): \(metricA) and \(metricB) move \(how) \(r)"
        : "\(nameA) and \(nameB): \(metricA) moves \(how) \(r)"
    }
    let other = field == nil ? metricB : "that of \(nameB)"
    return isSame
      ? "\(nameA): \(metricA) runs \(buckets(found.lag)) ahead of \(other) \(r)"
      : "\(nameA): \(metricA) goes the other way than \(other) \(buckets(found.lag)) later \(r)"
  }

  var detail: String {
    let r = [found.r.value, found.r.lo, found.r.hi].map(Self.number)
    let weekday = bucket == "day" ? "their weekday and " : ""
    let later =
      found.isLead
      ? "the other follows \(isSame ? "on the same side" : "on the other side") \(buckets(found.lag)) later"
      : "the other tends to be on \(isSame ? "the same" : "the other") side"
    var sentences = [
      "Apart from \(weekday)the level of the weeks around, when one is above or below what was to be "
        + "expected of it, \(later): correlation \(r[0]) (95 % interval \(r[1]) to \(r[2])) over "
        + "\(PlainNumbers.fixed(Double(found.pairs), decimals: 0)) \(bucket)s."
    ]
    if found.isLead {
      let (lo, hi) = (found.lagLo, found.lagHi)
      sentences.append(
        lo == hi
          ? "No other lag is likely." : "The lag is \(lo) to \(buckets(hi)) (95 % interval).")
    } else if found.lagLo != found.lagHi {
      let far = max(-found.lagLo, found.lagHi)
      sentences.append("Which of them comes first cannot be told: it may be up to \(buckets(far)).")
    }
    sentences.append("That one causes the other is not said: a third thing may move both.")
    if isWeak { sentences.append("Listed low: weaker than \(Self.number(minimum)).") }
    return sentences.joined(separator: " ")
  }
}
