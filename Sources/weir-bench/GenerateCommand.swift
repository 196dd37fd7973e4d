import ArgumentParser
import Glibc
import WeirData

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make moderation decisions as zstd JSONL with planted, known changes.",
    discussion: """
      Writes OUT_DIR/date=YYYY-MM-DD/part-NNNNN.jsonl.zst and OUT_DIR/truth.json, which says \
      what was planted and counts every line. The same arguments give the same bytes.

      --effects takes a JSON list of {"type", "metric", "market", "queue", "day", "days"?, \
      "size"}: type is shift, drift, spike, dip, volume_drop or volume_surge; metric is \
      violation_rate (size is added to the rate), volume or handle_ms (size is the relative \
      change); day counts from 0. Without it, ten changes are planted; [] plants none.
      """)

  @Argument(help: "Where to write; made if it is not there, refused if it is not empty.")
  var outDir: String
  @Option(help: "Unique records expected before effects on volume; the count itself is random.")
  var rows = 200_000
  @Option(help: "Days of data.") var days = 56
  @Option(help: "Files: a multiple or a divisor of the days.") var shards = 56
  @Option(help: "The first day.") var start = "2026-09-27"
  @Option(help: "Of the random numbers.") var seed: UInt64 = 7
  @Option(help: "A JSON file with the effects to plant.", completion: .file(extensions: ["json"]))
  var effects: String?
  @Option(help: "Share of records that are sent again or revised.") var duplicates = 0.05
  @Option(help: "Share of records that a malformed line follows.") var malformed = 0.0005
  @Option(help: "Compression level of zstd.") var level = 3
  @Option(help: "Words in the longest note.") var noteWords = 33
  @Option(
    help: "Cut the queues into numbered parts, so that there are about this many series of a size.")
  var series: Int?

  func validate() throws {
    func check(_ holds: Bool, _ what: String) throws {
      if !holds { throw ValidationError(what) }
    }
    try check((1...1_000_000_000).contains(rows), "--rows must be 1 to 1000000000")
    try check((1...3660).contains(days), "--days must be 1 to 3660")
    try check(
      shards > 0 && (shards % days == 0 || days % shards == 0) && shards <= 10_000,
      "--shards must be a multiple or a divisor of the \(days) days, at most 10000")
    try check(CivilDate(iso: start) != nil, "--start must be a date such as 2026-09-27")
    try check((0...1).contains(duplicates), "--duplicates must be 0 to 1")
    try check((0...1).contains(malformed), "--malformed must be 0 to 1")
    try check((1...22).contains(level), "--level must be 1 to 22")
    try check((1...1000).contains(noteWords), "--note-words must be 1 to 1000")
    try check((96...90_000).contains(series ?? 96), "--series must be 96 to 90000")
  }

  func run() throws {
    guard let start = CivilDate(iso: start) else { throw ValidationError("--start is no date") }
    let calendar = Calendar(start: start, days: days, rows: rows)
    let options = GeneratorOptions(
      calendar: calendar, shards: shards, seed: seed, duplicates: duplicates,
      malformed: malformed, level: level, noteWords: noteWords, series: series)
    let planted =
      try effects.map { try Effects.read(path: $0, calendar: calendar) }
      ?? Effects.standard(calendar: calendar)

    try makeDirectory(outDir)
    guard try isEmptyDirectory(outDir) else {
      throw FileError("\(outDir) is not empty; name another directory or remove it first")
    }
    var generator = Generator(options: options, effects: planted, directory: outDir)
    let truth = try generator.run()
    let text = TruthFile(options: options, effects: planted, truth: truth).text
    try writeFile(text, path: "\(outDir)/truth.json")
    print(
      "\(truth.lines) lines: \(truth.unique) unique, \(truth.duplicates) duplicates, "
        + "\(truth.malformedTotal) malformed; \(planted.list.count) effects")
  }
}

private func isEmptyDirectory(_ path: String) throws -> Bool {
  guard let directory = opendir(path) else { throw FileError.system("open", path) }
  defer { closedir(directory) }
  var entries = 0
  while readdir(directory) != nil { entries += 1 }
  return entries <= 2  // . and ..
}

private func writeFile(_ text: String, path: String) throws {
  guard let file = fopen(path, "wx") else { throw FileError.system("create", path) }
  let bytes = Array(text.utf8)
  let written = fwrite(bytes, 1, bytes.count, file)
  guard fclose(file) == 0, written == bytes.count else { throw FileError.system("write", path) }
}
