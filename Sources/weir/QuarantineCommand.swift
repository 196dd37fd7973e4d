import ArgumentParser
import WeirData
import WeirEngine

struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quarantine",
    abstract: "Why a run refused records: by code, stage, field and shard, with samples.",
    discussion: """
      ID is the id of a run, its beginning, or `last`: the latest run that has a quarantine. The \
      filters say which records are meant; each can be given again, and one of them must fit.

      --export writes the records with place, reason and the record itself, one JSON object a line, \
      as the quarantine has them. --replay runs the pipeline again, with the parameters and the output \
      of that run, and says what became of the records that it had refused: use it when the spec, a map \
      or the input was mended.
      """)

  @Argument(help: "The run: its id, the beginning of it, or last.")
  var id = "last"

  @Option(help: "The folder with the .weir workspace (default: the nearest one from here upwards).")
  var workspace: String?

  @Option(help: "Only records refused with this code.")
  var code: [String] = []

  @Option(help: "Only records refused by this stage.")
  var stage: [String] = []

  @Option(help: "Only records refused for this field.")
  var field: [String] = []

  @Option(help: "Only records of shards with this in their name.")
  var shard: [String] = []

  @Option(help: "Samples shown of each stage, code and field.")
  var samples = 1

  @Flag(help: "Print one JSON object on stdout.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Write the records to a new file, by its name plain (.jsonl) or compressed (.jsonl.zst).",
      valueName: "file"))
  var export: String?

  @Flag(help: "Run the pipeline again and say what became of the records.")
  var replay = false

  func validate() throws {
    guard (0...1_000).contains(samples) else { throw ValidationError("--samples wants 0 to 1000") }
    let hasFilter = !(code + stage + field + shard).isEmpty
    if replay, hasFilter {
      throw ValidationError("--replay is about all records: the filters are for showing them")
    }
    if replay, export != nil { throw ValidationError("--replay and --export are two commands") }
  }

  func run() async throws {
    let found = try failing(json: json) { () throws -> RunFolder in
      // The workspace is looked for as that of a spec that lies here.
      let run = try Workspace.find(given: workspace, spec: "spec").run(
        named: id, last: \.hasQuarantine, "has a quarantine")
      guard run.hasQuarantine else {
        throw RunError(
          code: "no_quarantine",
          message: "run \(run.id) has no quarantine: it ended as \(run.status)",
          fix: "a run has one when it is done or over its budget; see \(run.path)/run.json")
      }
      return run
    }
    if replay { return try await replay(found) }
    try failing(json: json) {
      let filter = QuarantineFilter(codes: code, stages: stage, fields: field, shards: shard)
      let reader = QuarantineReader(path: found.quarantinePath)
      if let export {
        let count = try QuarantineExport(path: export).write(reader, filter)
        return try json
          ? say(QuarantineJSON.export(found, path: export, count: count))
          : say("\(grouped(count)) records of run \(found.id) written to \(printable(export))")
      }
      let survey = try QuarantineSurvey(reader, filter, samplesMost: samples)
      try say(
        json
          ? QuarantineJSON.survey(survey, found)
          : QuarantineText.survey(survey, found, isFiltered: !filter.isOpen))
    }
  }

  // MARK: Replay

  private func replay(_ old: RunFolder) async throws {
    guard var arguments = old.arguments else {
      tell(
        """
        run \(old.id) was made by a version of Weir that did not note all that is needed
          try: weir run SPEC with its parameters; they are in \(old.path)/run.json
        """)
      if json {
        try say(QuarantineJSON.failed("not_replayable", "run \(old.id) cannot be replayed"))
      }
      throw ExitCode(1)
    }
    arguments += ["--progress=none", "--force"]
    if json { arguments.append("--json") }
    let command = try RunCommand.parse(arguments)
    try await command.run { directory in
      let comparison = try ReplayComparison(old, RunFolder(path: directory))
      return RunAddition(
        text: QuarantineText.replay(comparison, of: old),
        members: [
          JSONMember("replay_of", .text(old.id)), JSONMember("replay", comparison.json),
        ])
    }
  }
}

/// What `weir quarantine --json` prints. All text is escaped so far that a terminal only shows it.
enum QuarantineJSON {
  static func survey(_ survey: QuarantineSurvey, _ run: RunFolder) -> String {
    func counts(_ counts: [QuarantineSurvey.Count], _ name: String) -> JSONMember {
      JSONMember(
        name,
        .array(
          counts.map { count in
            var members: [JSONMember] = []
            if let source = count.source { members.append(JSONMember("source", .string(source))) }
            members.append(JSONMember(singular(name), .string(count.name)))
            members.append(JSONMember("records", .int(count.count)))
            return .object(members)
          }))
    }
    let head: [JSONMember] =
      head(run) + [
        JSONMember("refusals", .int(survey.total)), JSONMember("matching", .int(survey.matching)),
        counts(survey.codes, "codes"), counts(survey.stages, "stages"),
        counts(survey.fields, "fields"), counts(survey.shards, "shards"),
      ]
    // The samples are JSON already.
    var bytes = Array(JSONValue.object(head).bytes().dropLast())
    bytes += Array(",\"samples\":[".utf8)
    for (i, sample) in survey.samples.enumerated() {
      if i > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += sample.text
    }
    bytes += Array("]}".utf8)
    return escaped(String(decoding: bytes, as: UTF8.self))
  }

  static func export(_ run: RunFolder, path: String, count: Int) -> String {
    escaped(
      JSONValue.object(
        head(run) + [
          JSONMember("export", .text(path)), JSONMember("matching", .int(count)),
        ]
      ).text)
  }

  static func failed(_ code: String, _ message: String) -> String {
    escaped(
      JSONValue.object([
        JSONMember("status", "failed"), JSONMember("exit", 1),
        JSONMember("error", ["code": .text(code), "message": .text(message)]),
      ]).text)
  }

  private static func head(_ run: RunFolder) -> [JSONMember] {
    [
      JSONMember("run", .text(run.id)), JSONMember("pipeline", .text(run.pipeline)),
      JSONMember("status", .text(run.status)), JSONMember("started", .text(run.started)),
      JSONMember("read", run.recordsRead.map { .int($0) } ?? .null),
    ]
  }

  private static func singular(_ name: String) -> String { String(name.dropLast()) }

  /// JSON text in which characters that a terminal may obey are escapes, `\u202e` for U+202E. Those
  /// below U+0020 are escaped already, and the others stand in strings only.
  static func escaped(_ json: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in json.unicodeScalars {
      if scalar.value >= 0x7F, isObeyed(scalar) {
        let digits = String(scalar.value, radix: 16)
        let zeros = String(repeating: "0", count: 4 - digits.utf8.count)
        out.append(contentsOf: "\\u\(zeros)\(digits)".unicodeScalars)
      } else {
        out.append(scalar)
      }
    }
    return String(out)
  }
}
