import WeirData
import WeirEngine

/// What a person reads about a quarantine. All that comes from records is made printable.
enum QuarantineText {
  private static let rowsShown = 10
  private static let rawShown = 160

  static func survey(_ survey: QuarantineSurvey, _ run: RunFolder, isFiltered: Bool) -> String {
    var lines = ["\(printable(run.pipeline)): run \(run.id), \(run.status), started \(run.started)"]
    let read = run.recordsRead.map { " of \(grouped($0)) records read" } ?? ""
    lines.append("  \(counted(survey.total, "refusal"))\(read)")
    if isFiltered { lines.append("  \(counted(survey.matching, "refusal")) that fit the filters") }
    guard survey.matching > 0 else { return lines.joined(separator: "\n") }
    lines += table("code", survey.codes)
    lines += table("stage", survey.stages)
    lines += table("field", survey.fields)
    lines += table("shard", survey.shards)
    if !survey.samples.isEmpty {
      lines += ["", "first of each"]
      for sample in survey.samples { lines += text(sample) }
    }
    lines += ["", "all of them: weir quarantine \(run.id) --export FILE.jsonl"]
    return lines.joined(separator: "\n")
  }

  private static func table(_ title: String, _ counts: [QuarantineSurvey.Count]) -> [String] {
    guard !counts.isEmpty else { return [] }
    var lines = ["", title]
    let numbers = counts.prefix(rowsShown).map { grouped($0.count) }
    let width = numbers.map(\.utf8.count).max() ?? 0
    for (count, number) in zip(counts, numbers) {
      let source = count.source.map { printable($0) + " " } ?? ""
      let padding = String(repeating: " ", count: width - number.utf8.count)
      lines.append("  \(padding)\(number)  \(source)\(printable(count.name.prefix(200)))")
    }
    if counts.count > rowsShown {
      let rest = counts.dropFirst(rowsShown)
      let records = rest.reduce(0) { $0 + $1.count }
      lines.append("  and \(grouped(rest.count)) more, with \(counted(records, "refusal"))")
    }
    return lines
  }

  private static func text(_ sample: QuarantineSurvey.Sample) -> [String] {
    let raw = sample.raw.prefix(rawShown)
    let more = sample.raw.count > raw.count ? "..." : ""
    let place =
      "\(printable(sample.source)) \(printable(sample.shard.prefix(200))):\(sample.line)"
    return [
      "  \(place), byte \(grouped(sample.byteOffset))",
      "    \(printable(sample.stage)): \(printable(sample.code)): \(printable(sample.message.prefix(400)))",
      "    \(printable(raw))\(more)",
    ]
  }

  static func replay(_ comparison: ReplayComparison, of old: RunFolder) -> String {
    func codes(_ counts: [(code: String, count: Int)]) -> String {
      let total = counts.reduce(0) { $0 + $1.count }
      let words = counts.prefix(6).map { "\(grouped($0.count)) \(printable($0.code))" }
      let more = counts.count > 6 ? ", ..." : ""
      return total == 0 ? "0" : "\(grouped(total)): \(words.joined(separator: ", "))\(more)"
    }
    var lines = [
      "replay of \(old.id): \(counted(comparison.refusedThen, "record")) refused then",
      "  accepted now   \(grouped(comparison.accepted))",
      "  refused still  \(codes(comparison.stillRefused))",
      "  refused anew   \(codes(comparison.newlyRefused))",
    ]
    let other = comparison.inOtherShards
    if other.then + other.now > 0 {
      lines.append(
        "  not compared   \(grouped(other.then)) then and \(grouped(other.now)) now, in shards that changed, came or went"
      )
    }
    return lines.joined(separator: "\n")
  }
}
