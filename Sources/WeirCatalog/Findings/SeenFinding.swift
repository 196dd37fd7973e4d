import WeirData
import WeirEngine

/// A finding as its lifecycle needs it: what it is about, and where in time it lies.
struct SeenFinding: Equatable {
  var stage: String
  var id: String
  var level: String
  var type: String
  var direction: String
  var metric: String
  /// The fields of the group with their values.
  var group: JSONValue
  /// Where it lies in time: days, the last one included.
  var place: ClosedRange<Int>
  /// Its most likely day.
  var anchor: Int
  var headline: String

  /// Members of `series` that are no fields of the group.
  private static let common = ["metric", "kind", "grain", "zone"]
  /// The day of a lasting change is estimated again each night, and its interval moves with it: two
  /// that come within so many days of each other are one change.
  private static let slackDays = 3

  /// - Returns: `nil` where the finding has no series, type or day: it has no lifecycle.
  init?(_ json: JSONValue, stage: String) {
    guard let type = json.text("type"), let series = json["series"],
      let anchor = json["anchor"]?.day("date")
    else { return nil }
    self.stage = stage
    self.type = type
    self.anchor = anchor
    id = json.text("finding_id") ?? ""
    level = json.text("level") ?? ""
    direction = json.text("direction") ?? ""
    metric = series.text("metric") ?? ""
    group = .object(
      series.asMembers.filter { member in
        !SeenFinding.common.contains { same($0, member.key) }
      })
    headline = json["text"]?.text("headline") ?? ""
    let lo = json["anchor"]?.day("ci_lo") ?? anchor
    let hi = json["anchor"]?.day("ci_hi") ?? anchor
    var days = [anchor, min(lo, anchor), max(hi, anchor)]
    if same(type, "shift") {
      // It lasts to the end of the series: what tells it from others is where it began.
      days += [days.min()! - SeenFinding.slackDays, days.max()! + SeenFinding.slackDays]
    } else {
      days += [json["window"]?.day("from"), json["window"]?.day("to")].compactMap { $0 }
    }
    place = days.min()!...days.max()!
  }

  /// What an entry of `changes.json` said.
  init?(entry: JSONValue) {
    guard let from = entry.day("from"), let to = entry.day("to"), from <= to,
      let anchor = entry.day("anchor"), let type = entry.text("type")
    else { return nil }
    stage = entry.text("stage") ?? ""
    id = entry.text("finding_id") ?? ""
    level = entry.text("level") ?? ""
    self.type = type
    direction = entry.text("direction") ?? ""
    metric = entry.text("metric") ?? ""
    group = entry["group"] ?? [:]
    place = from...to
    self.anchor = anchor
    headline = entry.text("headline") ?? ""
  }

  /// Types that one change goes through as days come in: a day that stands out, several, a new level.
  private static let moves = ["spike", "dip", "burst", "level_change_unconfirmed", "shift"]

  /// Findings of different identity are never the same one.
  var identity: [UInt8] {
    let kind = Self.moves.contains { same($0, type) } ? "move" : type
    return JSONValue.array([
      .text(stage), .text(kind), .text(direction), .text(metric), group,
    ]).bytes()
  }

  var members: [JSONMember] {
    func day(_ value: Int) -> JSONValue { .text(CivilDate(daysSinceEpoch: value).iso) }
    return [
      JSONMember("stage", .text(stage)), JSONMember("finding_id", .text(id)),
      JSONMember("level", .text(level)), JSONMember("type", .text(type)),
      JSONMember("direction", .text(direction)), JSONMember("metric", .text(metric)),
      JSONMember("group", group), JSONMember("anchor", day(anchor)),
      JSONMember("from", day(place.lowerBound)), JSONMember("to", day(place.upperBound)),
      JSONMember("headline", .text(headline)),
    ]
  }
}

extension JSONValue {
  fileprivate func day(_ key: String) -> Int? {
    text(key).flatMap { CivilDate(iso: $0)?.daysSinceEpoch }
  }
}
