import WeirData

let millisecondsPerDay = 86_400_000

/// The days that are generated, and how many decisions each series has on each before anything
/// is planted.
struct Calendar {
  let start: CivilDate
  let days: Int
  /// Expected decisions of all series over all days.
  let rows: Int
  private let weekdaySum: Double

  init(start: CivilDate, days: Int, rows: Int) {
    self.start = start
    self.days = days
    self.rows = rows
    var sum = 0.0
    for day in 0..<days { sum += World.weekdays[(start.weekday + day) % 7] }
    weekdaySum = sum
  }

  func date(_ day: Int) -> CivilDate {
    CivilDate(daysSinceEpoch: start.daysSinceEpoch + day)
  }

  /// Milliseconds from 1970 to the midnight, in UTC, that `day` begins with.
  func midnight(_ day: Int) -> Int { (start.daysSinceEpoch + day) * millisecondsPerDay }

  func expectedCount(series: Int, day: Int) -> Double {
    let perDay = World.markets[World.market(ofSeries: series)]
      .perDay[World.queue(ofSeries: series)]
    let weekday = World.weekdays[(start.weekday + day) % 7]
    return Double(rows) * perDay / World.totalPerDay * weekday / weekdaySum
  }
}
