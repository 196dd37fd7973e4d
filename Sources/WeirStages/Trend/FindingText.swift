import WeirData
import WeirStatistics

/// Says a finding in sentences that can be pasted into a mail.
///
/// The headline names the group, the metric, what it did and when; the detail gives the size with its
/// 95 % interval, the events or records it comes to, and the dates. `fields` are the `by` fields that
/// `series.key` holds values of; `bucketStarts` has a date for every bucket.
///
///     hate_speech in DE: violation rate rose from 8.2 % to 13.6 % on 4 Oct
public func findingText(
  _ finding: TrendFinding, in series: TrendSeries, by fields: [String], bucketStarts: [CivilDate]
) -> (headline: String, detail: String) {
  let words = FindingWords(finding: finding, series: series, dates: BucketDates(bucketStarts))
  if finding.type == .dataMissing {
    return ("No data \(words.when)", words.missingDetail)
  }
  if finding.type == .openBucket {
    return ("Not complete: \(words.place)", words.openDetail)
  }
  let subject = groupText(series.key, by: fields)
  return ("\(subject): \(words.metric) \(words.happening)", words.detail)
}

/// A group as a person says it: "hate_speech in DE", "all queues in DE", "DL at all markets",
/// "everything".
func groupText(_ key: [String?], by fields: [String]) -> String {
  guard key.contains(where: { $0 != nil }) else { return "everything" }
  var places: [String] = []
  var things: [String] = []
  for (i, value) in key.enumerated() {
    let field = i < fields.count ? fields[i] : "field"
    let isPlace = placeFields.contains(field)
    let name = value.map { $0.isEmpty ? "(empty)" : $0 }
    if isPlace {
      places.append(name.map { "in \($0)" } ?? "at all \(plural(field))")
    } else {
      things.append(name ?? "all \(plural(field))")
    }
  }
  if things.isEmpty {
    // "DE", or "DE, all regions": a place alone needs no preposition.
    return key.enumerated().map { i, value in
      value ?? "all \(plural(i < fields.count ? fields[i] : "field"))"
    }.joined(separator: ", ")
  }
  return ([things.joined(separator: ", ")] + places).joined(separator: " ")
}

/// Fields that say where something is.
let placeFields: Set<String> = ["market", "country", "region", "site", "location"]

func plural(_ field: String) -> String {
  var bytes = plain(field)
  let vowels = Array("aeiou".utf8)
  if bytes.last == 0x79, bytes.count > 1, !vowels.contains(bytes[bytes.count - 2]) {
    bytes.removeLast()
    bytes += Array("ies".utf8)
  } else if let last = bytes.last, last == 0x73 || last == 0x78 {
    bytes += Array("es".utf8)
  } else {
    bytes.append(0x73)
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Underscores become spaces.
private func plain(_ name: String) -> [UInt8] { name.utf8.map { $0 == 0x5F ? 0x20 : $0 } }

/// The dates of the buckets, and how long a bucket is.
private struct BucketDates {
  let starts: [CivilDate]
  let hasYears: Bool
  /// Days from one bucket to the next; 0 where that is not known.
  let step: Int

  init(_ starts: [CivilDate]) {
    self.starts = starts
    hasYears = starts.first?.year != starts.last?.year
    step = starts.count > 1 ? starts[1].daysSinceEpoch - starts[0].daysSinceEpoch : 0
  }

  func day(_ bucket: Int) -> String {
    guard starts.indices.contains(bucket) else { return "bucket \(bucket + 1)" }
    let date = starts[bucket]
    return hasYears ? "\(date.short) \(date.year)" : date.short
  }

  func dayWithWeekday(_ bucket: Int) -> String {
    guard step == 1, starts.indices.contains(bucket) else { return day(bucket) }
    return "\(CivilDate.weekdayNames[starts[bucket].weekday]) \(day(bucket))"
  }

  /// "a day", for values that are counts of a bucket.
  var each: String { "a \(unit)" }

  /// "day".
  var unit: String {
    switch step {
    case 1: "day"
    case 7: "week"
    case 28...31: "month"
    default: "bucket"
    }
  }

  func length(_ buckets: Int) -> String {
    "\(PlainNumbers.fixed(Double(buckets), decimals: 0)) \(unit)\(buckets == 1 ? "" : "s")"
  }

  /// "13 weeks" where days make whole weeks well enough, else ``length(_:)``.
  func span(_ buckets: Int) -> String {
    guard step == 1, buckets >= 21 else { return length(buckets) }
    return "\((buckets + 3) / 7) weeks"
  }
}

private struct FindingWords {
  let finding: TrendFinding
  let series: TrendSeries
  let dates: BucketDates

  var metric: String { String(decoding: plain(series.metric), as: UTF8.self) }
  private var isRate: Bool { series.kind == .rate }
  private var isUp: Bool { finding.direction == .up }

  // MARK: Headline

  var happening: String {
    let (before, after) = (finding.baseline.value, finding.observed.value)
    let text = values([before, after])
    let each = series.kind == .count || series.kind == .distinct ? " \(dates.each)" : ""
    switch finding.type {
    case .shift:
      return "\(isUp ? "rose" : "fell") from \(text[0]) to \(text[1])\(each) on "
        + dates.day(finding.anchor)
    case .trend:
      let span = dates.span(finding.window.count)
      return "has been \(isUp ? "rising" : "falling") for \(span), \(text[0]) to \(text[1])\(each)"
    case .spike:
      return "spiked to \(text[1]) \(when), \(text[0]) expected"
    case .dip:
      return "dropped to \(text[1]) \(when), \(text[0]) expected"
    case .burst:
      return "was \(text[1])\(each) \(when), \(text[0]) expected"
    case .unconfirmedLevel:
      return "has been \(text[1])\(each) since \(dates.day(finding.window.lowerBound)), "
        + "\(text[0]) expected"
    case .windowChange:
      return "\(isUp ? "rose" : "fell") from \(text[0]) to \(text[1])\(each) about "
        + dates.day(finding.anchor)
    case .seasonBreak:
      return "has other weekdays since \(dates.day(finding.anchor)): \(weekday) "
        + "\(isUp ? "rose" : "fell") from \(text[0]) to \(text[1])"
    case .dataMissing, .openBucket:
      return "has no data \(when)"
    }
  }

  /// "on Sat 21 Nov" or "from 8 Feb to 9 Feb".
  var when: String {
    let (first, last) = (finding.window.lowerBound, finding.window.upperBound)
    if first == last { return "on \(dates.dayWithWeekday(first))" }
    return "from \(dates.day(first)) to \(dates.day(last))"
  }

  /// "Sat 21 Nov".
  var place: String { dates.dayWithWeekday(finding.window.lowerBound) }

  /// "Saturdays": the weekday that stands for a change of the profile.
  private var weekday: String {
    finding.weekday.map { CivilDate.weekdayPlurals[$0] } ?? "one weekday"
  }

  // MARK: Detail

  var openDetail: String {
    "More records may still come for it, so it is shown and compared with nothing."
  }

  var missingDetail: String {
    "No record of any group reaches \(dates.length(finding.window.count)), so nothing is compared "
      + "there; this is missing data and not a drop."
  }

  var detail: String {
    var sentences = [change]
    if let slope = finding.slopePerWeek, finding.type == .trend {
      sentences.append("That is \(difference(slope)) a week.")
    }
    // Of one count the change and the events are the same number.
    if series.kind != .count || finding.window.count > 1 { sentences.append(events) }
    if finding.type == .windowChange {
      let why =
        series.buckets.count < 2 * TrendSettings().minHistory
        ? "The history is too short" : "There are too few events"
      sentences.append("\(why) to tell when: this is its second half against its first.")
    }
    if finding.type == .seasonBreak {
      sentences.append(
        "The days of the week differ in another way than before; \(weekday) changed most.")
    }
    if finding.type == .shift || finding.type == .seasonBreak {
      let (lo, hi) = (finding.anchorLo, finding.anchorHi)
      if lo != hi {
        sentences.append(
          "The new \(finding.type == .shift ? "level" : "pattern") began between \(dates.day(lo)) and "
            + "\(dates.day(hi)), most likely on \(dates.day(finding.anchor)).")
      }
    }
    if finding.type == .shift {
      if !finding.earlier.isEmpty { sentences.append(earlier) }
      if finding.window.count < 2 * TrendSettings().minSegment {
        sentences.append(
          "The new level is \(dates.length(finding.window.count)) old: whether it lasts, more of them "
            + "will tell.")
      }
    }
    if finding.type == .unconfirmedLevel {
      sentences.append(
        "It reaches the last \(dates.unit) that could be compared: whether it is a new level or passes, the "
          + "next ones will tell.")
    }
    for other in finding.explainedAway {
      sentences.append(
        other == "trend"
          ? "A steady movement would also describe it, but less well."
          : "A single step would also describe it, but less well.")
    }
    if !finding.isMaterial { sentences.append("Listed low: \(finding.materialityReason).") }
    return sentences.joined(separator: " ")
  }

  private var change: String {
    let share: String
    let relative = finding.relative
    if finding.baseline.value == 0 {
      share = ""
    } else if relative >= 1 {
      let times = relative + 1
      share = ", \(PlainNumbers.fixed(times, decimals: times < 10 ? 1 : 0)) times the baseline"
    } else {
      let percent = 100 * relative
      let digits = abs(percent) >= 9.95 ? 0 : 1
      share = ", \(PlainNumbers.signed(percent, decimals: digits)) %"
    }
    let isMany = [.shift, .trend, .burst, .unconfirmedLevel, .windowChange].contains(finding.type)
    let each =
      isMany && (series.kind == .count || series.kind == .distinct) ? " \(dates.each)" : ""
    return "The change is \(difference(finding.effect, each: each))\(share)."
  }

  /// The steps in front of the one that is reported.
  private var earlier: String {
    let each = series.kind == .count || series.kind == .distinct ? " \(dates.each)" : ""
    let steps = finding.earlier.map { step in
      let text = values([step.from, step.to])
      return "from \(text[0]) to \(text[1])\(each) on \(dates.day(step.anchor))"
    }
    return "The level had changed before: \(listed(steps, last: "and"))."
  }

  /// "+5.4 points (95 % interval +5.0 to +5.9)".
  private func difference(_ e: Estimate, each: String = "") -> String {
    let factor = isRate ? 100.0 : 1
    let values = [e.value, e.lo, e.hi].map { $0 * factor }
    let digits = PlainNumbers.decimals(telling: [values[0]])
    let text = values.map { PlainNumbers.signed($0, decimals: digits) }
    return "\(text[0])\(isRate ? " points" : each) (95 % interval \(text[1]) to \(text[2]))"
  }

  private var events: String {
    let window = finding.window
    let range =
      window.count == 1
      ? "on \(dates.dayWithWeekday(window.lowerBound))"
      : "over \(dates.length(finding.windowValid)) from \(dates.day(window.lowerBound)) to "
        + dates.day(window.upperBound)
    let records = PlainNumbers.fixed(finding.n, decimals: 0)
    if finding.type == .seasonBreak, series.kind == .count || series.kind == .rate {
      let moved = PlainNumbers.fixed(finding.impact.value, decimals: 0)
      return "About \(moved) \(isRate ? "of \(records) records" : "records") moved between "
        + "weekdays, \(range)."
    }
    switch series.kind {
    case .count, .rate:
      let text = [finding.impact.value, finding.impact.lo, finding.impact.hi].map {
        PlainNumbers.signed($0, decimals: 0)
      }
      let among = isRate ? " among \(records) records" : ""
      return "Against what was expected that is \(text[0])\(among) (95 % interval \(text[1]) to "
        + "\(text[2])), \(range)."
    case .mean, .quantile, .distinct:
      return "It concerns \(records) records, \(range)."
    }
  }

  // MARK: Values

  /// Values as a reader sees them, with as many decimals as tell them apart; whole ones without.
  private func values(_ v: [Double]) -> [String] {
    if isRate {
      let percent = v.map { 100 * $0 }
      // One decimal from 1 % on, also of 100 %.
      let digits = max(1, PlainNumbers.decimals(telling: percent))
      return percent.map { PlainNumbers.fixed($0, decimals: $0 == 0 ? 0 : digits) + " %" }
    }
    let digits = PlainNumbers.decimals(telling: v)
    return v.map { PlainNumbers.fixed($0, decimals: $0 == $0.rounded() ? 0 : digits) }
  }
}
