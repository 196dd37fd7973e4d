import WeirData
import WeirEngine

/// The `report` sink: findings as one HTML file for people.
public struct ReportSink: SinkStage {
  private let path: String
  private let title: String?
  private let recordNoun: String

  public static let manual = StageManual(
    type: "report", kind: .sink,
    summary: "Writes what changed as one HTML page that needs no network.",
    discussion: """
      The page says what changed, how certain that is, where and since when; it draws every series \
      with what was expected of it, and shows where every record went: the ledger, the quarantine \
      with the first record of each kind and what to do about it, and notes on missing, open and \
      future data. It reads without a script, in print and on a telephone, asks for nothing from \
      any network, and the same inputs, spec and parameters give the same bytes.

      It takes the findings of one `trend`, `correlate` or `compare` stage. Of the latter two the page has \
      what moves together or what differs, each with its size, its picture and what carries it, and \
      the same ledger and quarantine. The page shows the beginning of one refused record \
      for each reason, as it came: do not publish it where the records must not be seen.
      """,
    accepts: [.findings], fanIn: false,
    options: [
      OptionSpec(
        "path", .pathTemplate, .required, "The file, below the output directory; no fields in it."),
      OptionSpec(
        "title", .string, .optional, "Heading of the page; the pipeline's name if absent."),
      OptionSpec(
        "record_noun", .string, .default(#""records""#),
        "What records are called, in the plural: `decisions`."),
    ],
    example: #"{ "type": "report", "inputs": ["trends"], "path": "trends.html" }"#,
    synonyms: ["html", "page", "dashboard", "chart", "pdf"])

  public init?(_ options: Options, _ problems: inout Problems) {
    let node = options.node("path")
    guard let template = PathTemplate(options.string("path"), scope: nil, at: node, &problems)
    else { return nil }
    guard let fixed = template.fixedPath, !fixed.utf8.isEmpty else {
      problems.add(
        "bad_path", at: node, "a report is one file: its path cannot depend on fields",
        fix: "write \"report.html\"")
      return nil
    }
    path = fixed
    title = options["title"]?.string
    recordNoun = options.string("record_noun")
  }

  public var staticPath: String? { path }

  public func bindRecords(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundRecordSink)? {
    preconditionFailure("a report takes no records: its manual says so")
  }

  /// Checked when the stage was made.
  public func checkResultPath(_ problems: inout Problems) {}

  public func write(_ input: StageOutput, _ facts: RunFacts) throws -> [OutputFile] {
    if case .findings(let findings) = input, let detail = findings.detail as? RelationDetail {
      let page = ReportPage(
        detail.coverage, facts, title: title, recordNoun: recordNoun, path: path)
      return [
        OutputFile(
          path: path, bytes: renderRelations(page, detail, sha256: { sha256($0) }),
          rows: findings.findings.count)
      ]
    }
    guard case .findings(let findings) = input, let detail = findings.detail as? TrendDetail else {
      throw RunError(
        code: "no_report",
        message: "`\(facts.input)` makes no findings that a report can show",
        fix: "give the report the default output of a `trend`, `correlate` or `compare` stage")
    }
    let page = ReportPage(
      detail, facts, title: title, recordNoun: recordNoun, path: path)
    return [
      OutputFile(
        path: path, bytes: renderReport(page, sha256: { sha256($0) }),
        rows: findings.findings.count)
    ]
  }
}
