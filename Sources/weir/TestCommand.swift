import ArgumentParser
import Glibc
import Synchronization
import WeirData
import WeirEngine
import WeirStages

struct TestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run the tests beside specs (NAME.test.json), through the real plan, in memory.",
    discussion: """
      A test gives input to the sources or to a stage, and says what is to come out of a stage or \
      stand in the files. docs/testing.md says how one is written.

        weir test pipelines
        weir test mine.json --create --by market --records 1 --redact moderator_id
        weir test mine.json --update
        weir test pipelines --junit tests.xml

      Exits 0 when all tests pass, 1 when one fails, 78 when a spec or a test file is invalid or is \
      not there.
      """)

  @Argument(
    help: "Pipeline specs; a folder stands for those in it that have a test beside them.",
    completion: .file(extensions: ["json"]))
  var specs: [String]

  @Flag(help: "Write into the test files what came out, where that is not what is expected.")
  var update = false

  @Flag(help: "Make a first test of records of the spec's own data.")
  var create = false

  @Option(
    help: ArgumentHelp(
      "With --create: a field whose values are replaced; may be given again.", valueName: "field"))
  var redact: [String] = []

  @Option(help: ArgumentHelp("With --create: records of each source.", valueName: "n"))
  var records: Int?

  @Option(
    help: ArgumentHelp(
      "With --create: that many records of each value of a field.", valueName: "field"))
  var by: String?

  @OptionGroup(title: "Parameters (with --create)") var values: ParamOptions

  @Option(help: ArgumentHelp("Only tests with this in their names.", valueName: "text"))
  var only: String?

  @Option(help: ArgumentHelp("Write the results for a CI server as JUnit XML.", valueName: "file"))
  var junit: String?

  @Flag(help: "Print one JSON object with all results.")
  var json = false

  func validate() throws {
    guard !specs.isEmpty else { throw ValidationError("name at least one spec") }
    if create, update {
      throw ValidationError("--create makes a file and --update changes one: give one of them")
    }
    if !create {
      if !redact.isEmpty { throw ValidationError("--redact goes with --create") }
      if records != nil { throw ValidationError("--records goes with --create") }
      if by != nil { throw ValidationError("--by goes with --create") }
      if !values.isEmpty {
        throw ValidationError("--param goes with --create: a test has its own \"params\"")
      }
    }
    if let records, !(1...1_000).contains(records) {
      throw ValidationError("--records wants 1 to 1000")
    }
    for field in redact + (by.map { [$0] } ?? []) where FieldPath(text: field) == nil {
      throw ValidationError("'\(field)' is no field: write for example market or model.score")
    }
  }

  func run() async throws {
    if create { return try await makeTests() }
    var reports: [TestReport] = []
    // `weir test pipelines/*.json` names the test files too.
    for spec in try specs.flatMap(TestCommand.specs) where !TestFile.isOne(spec) {
      let report = try await test(spec)
      if !json { try say(report.text) }
      reports.append(report)
    }
    if let junit { try write(Array(TestReport.junit(reports).utf8), to: junit) }
    if json { try say(TestReport.json(reports).text) } else { try say(TestReport.summary(reports)) }
    if reports.contains(where: \.isInvalid) { throw ExitCode(78) }
    if reports.contains(where: { !$0.passes }) { throw ExitCode(1) }
  }

  /// A spec, or those in a folder that have a test.
  private static func specs(_ path: String) throws -> [String] {
    guard isDirectory(path) else { return [path] }
    let folder = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
    let files: [String]
    do {
      files = try directoryEntries(path).map { folder + String(decoding: $0, as: UTF8.self) }
    } catch { throw told(error, path) }
    let tests = Set(files.filter(TestFile.isOne))
    let found = files.filter { !TestFile.isOne($0) && tests.contains(TestFile.path(ofSpec: $0)) }
    guard !found.isEmpty else {
      tell(
        "Error: \(path) has no spec with a test beside it\n  expected: NAME.json with NAME.test.json\n  try: weir test NAME.json --create makes one"
      )
      throw ExitCode(78)
    }
    return found
  }

  private func test(_ spec: String) async throws -> TestReport {
    var report = TestReport(spec: spec)
    let path = TestFile.path(ofSpec: spec)
    let (file, problems) = TestCommand.file(path)
    report.problems = problems
    guard let file else { return report }
    (report.outcomes, report.usesStandIns) = await outcomes(file, of: spec)
    if update, report.outcomes.contains(where: { !$0.passes && $0.canUpdate }) {
      try write(file.updated(report.outcomes), to: path)
      // What was written must pass: else the message says what cannot be expected.
      let (again, _) = TestCommand.file(path)
      guard let again else { return report }
      let before = report.outcomes
      (report.outcomes, _) = await outcomes(again, of: spec)
      report.updated = zip(before, report.outcomes).count { !$0.passes && $1.passes }
    }
    return report
  }

  /// Runs the tests of a spec; says too whether a fixed key stood in the place of a secret.
  private func outcomes(_ file: TestFile, of spec: String) async -> ([TestOutcome], Bool) {
    let standIns = StandIns()
    let runner = TestRunner(file, form: .lines) {
      let (plan, problems) = SpecLoading.plan(
        spec, given: GivenParams(commandLine: $0), secrets: .standIn)
      if plan?.usesStandIns == true { standIns.areUsed.withLock { $0 = true } }
      return (plan, problems)
    }
    var outcomes: [TestOutcome] = []
    for test in file.cases where only.map({ TestCommand.contains(test.name, $0) }) ?? true {
      outcomes.append(await runner.run(test))
    }
    return (outcomes, standIns.areUsed.withLock { $0 })
  }

  private final class StandIns: Sendable {
    let areUsed = Mutex(false)
  }

  private static func contains(_ text: String, _ part: String) -> Bool {
    let (text, part) = (Array(text.utf8), Array(part.utf8))
    guard !part.isEmpty, text.count >= part.count else { return part.isEmpty }
    return (0...(text.count - part.count)).contains {
      text[$0..<($0 + part.count)].elementsEqual(part)
    }
  }

  static func file(_ path: String) -> (TestFile?, Problems) {
    do throws(FileError) {
      return TestFile.parse(try readWholeFile(path, limit: TestFile.bytesMax), file: path)
    } catch {
      var problems = Problems()
      let nowhere = SpecNode.nowhere(in: path)
      let isTooLarge = error.code == EFBIG
      problems.add(
        isTooLarge ? "test_file_too_large" : "no_test_file", at: nowhere,
        isTooLarge
          ? "the test file is larger than 16 MiB" : "the test file cannot be read: \(error.reason)",
        fix: isTooLarge
          ? "put large inputs in files of their own: \"inputs\": { \"SOURCE\": { \"file\": \"day.jsonl.zst\" } }"
          : "make one with --create")
      return (nil, problems)
    }
  }

  // MARK: Making tests

  private func makeTests() async throws {
    var request = TestMaker.Request()
    request.records = records ?? request.records
    request.groupBy = by.flatMap { FieldPath(text: $0) }
    request.redacted = redact.compactMap { FieldPath(text: $0) }
    let given = try values.given()
    for spec in specs {
      let path = TestFile.path(ofSpec: spec)
      guard access(path, F_OK) != 0 else {
        tell("Error: \(path) is there already\n  try: --update writes into it what came out")
        throw ExitCode(1)
      }
      let (plan, problems) = SpecLoading.plan(spec, given: given, secrets: .standIn)
      if !problems.isEmpty { tell(problems.text) }
      guard let plan else { throw ExitCode(problems.exit) }
      request.schemaPath = plan.spec.schemaFolder.map { $0 + "test.schema.json" }
      do {
        let made = try await TestMaker(plan, request, form: .lines).make()
        try write(made.text, to: path)
        try say("\(path): a test with \(counted(made.records, "record"))")
        for note in made.notes { tell("note: \(note)") }
      } catch {
        throw told(error, plan.spec.name)
      }
    }
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    do {
      try writePage(bytes, at: path)
    } catch {
      tell("\(path) cannot be written: \(error)")
      throw ExitCode(1)
    }
  }
}
