import Foundation

/// One effect as it is written in the file of `--effects`.
struct EffectEntry: Decodable {
  var type: Effect.Shape
  var metric: Effect.Metric?
  var market: String
  var queue: String
  var day: Int
  var days: Int?
  var size: Double
}

/// Why an effect cannot be planted.
struct EffectError: Error, CustomStringConvertible {
  let description: String
}

extension Effects {
  /// Reads a JSON list of ``EffectEntry``.
  static func read(path: String, calendar: Calendar) throws -> Effects {
    let data: Data
    let entries: [EffectEntry]
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw FileError("cannot read \(path): \(error.localizedDescription)")
    }
    do { entries = try JSONDecoder().decode([EffectEntry].self, from: data) } catch {
      throw EffectError(description: "\(path) is not a list of effects: \(error)")
    }
    return try Effects(entries: entries, calendar: calendar)
  }

  init(entries: [EffectEntry], calendar: Calendar) throws {
    var list: [Effect] = []
    for (index, entry) in entries.enumerated() {
      do { list.append(try Effect(entry, calendar: calendar)) } catch let error as EffectError {
        throw EffectError(description: "effect \(index + 1): \(error.description)")
      }
    }
    self.init(list)
    for effect in list where effect.metric == .violationRate {
      for day in effect.day...effect.lastDay {
        let rate = violationRate(series: effect.series, day: day)
        guard rate >= 0, rate <= 1 else {
          throw EffectError(
            description: "the violation rate of \(effect.name) would be \(rate) on day \(day)")
        }
      }
    }
  }

  /// Ten changes in ten of the larger series, in ten markets: what the sample has. Their days
  /// are those of 8 weeks, stretched to the days of `calendar`; fewer than 14 days have none.
  static func standard(calendar: Calendar) throws -> Effects {
    guard calendar.days >= 14 else { return Effects([]) }
    func at(_ day: Int) -> Int { day * calendar.days / 56 }
    func entry(
      _ type: Effect.Shape, _ metric: Effect.Metric, _ market: String, _ queue: String, _ day: Int,
      _ size: Double
    ) -> EffectEntry {
      EffectEntry(
        type: type, metric: metric, market: market, queue: queue, day: at(day), size: size)
    }
    return try Effects(
      entries: [
        entry(.shift, .violationRate, "GB", "hate_speech", 36, 0.18),
        entry(.shift, .violationRate, "PH", "live_scam", 30, -0.13),
        entry(.shift, .violationRate, "JP", "gifting_fraud", 28, 0.26),
        entry(.shift, .violationRate, "FR", "live_nudity", 25, -0.14),
        entry(.drift, .violationRate, "ID", "live_minor_safety", 14, 0.30),
        entry(.spike, .violationRate, "US", "live_nudity", 48, 0.48),
        entry(.spike, .violationRate, "BR", "live_violence", 41, 0.65),
        entry(.volumeDrop, .volume, "VN", "live_scam", 42, 0.50),
        entry(.volumeSurge, .volume, "MX", "live_violence", 33, 2.5),
        entry(.dip, .volume, "DE", "hate_speech", 20, 0.95),
      ], calendar: calendar)
  }
}

extension Effect {
  /// For messages: `GB hate_speech`.
  var name: String { "\(World.markets[market].code) \(World.queues[queue].name)" }

  init(_ entry: EffectEntry, calendar: Calendar) throws {
    func refuse(_ why: String) -> EffectError { EffectError(description: why) }
    guard let market = World.markets.firstIndex(where: { $0.code == entry.market }) else {
      let known = World.markets.map { $0.code }.joined(separator: ", ")
      throw refuse("no market \(entry.market); there are \(known)")
    }
    guard let queue = World.queues.firstIndex(where: { $0.name == entry.queue }) else {
      let known = World.queues.map { $0.name }.joined(separator: ", ")
      throw refuse("no queue \(entry.queue); there are \(known)")
    }
    let isVolume = entry.type == .volumeDrop || entry.type == .volumeSurge
    guard let metric = entry.metric ?? (isVolume ? .volume : nil) else {
      throw refuse("\(entry.type.rawValue) needs a metric")
    }
    guard !isVolume || metric == .volume else {
      throw refuse("\(entry.type.rawValue) is of volume, not of \(metric.rawValue)")
    }
    guard (0..<calendar.days).contains(entry.day) else {
      throw refuse("day \(entry.day) is not one of 0 to \(calendar.days - 1)")
    }
    let days = entry.days ?? (entry.type.lasts ? calendar.days - entry.day : 1)
    guard days >= 1, days <= calendar.days - entry.day else {
      throw refuse("\(days) days from day \(entry.day) are not within the data")
    }
    guard entry.size != 0, entry.type.isSigned || entry.size > 0 else {
      throw refuse("size \(entry.size) must be \(entry.type.isSigned ? "not 0" : "above 0")")
    }
    let size = entry.type.isDown ? -entry.size : entry.size
    let least = metric == .handleMs ? -0.99 : -1
    guard size >= least, size <= 100 else {
      throw refuse("size \(entry.size) is out of range for \(metric.rawValue)")
    }
    self.init(
      shape: entry.type, metric: metric, market: market, queue: queue, day: entry.day, days: days,
      size: size)
  }
}
