import WeirEngine

/// Stage types that only have a manual: what the checks of a spec need.
protocol FakeStage: Stage {
  init()
}

extension FakeStage {
  init?(_ options: Options, _ problems: inout Problems) { self.init() }
}

struct FakeJSONLSource: FakeStage {
  static let manual = StageManual(
    type: "jsonl", kind: .source, summary: "Reads JSON lines, one record a line.",
    discussion: """
      A shard is one file. Its name is what stands below the literal part of the path.

      - `.jsonl.zst` and `.jsonl.gz` are decompressed.
      - Anything else is read as it is.
      """,
    outputs: [PortSpec(carries: .records, "The records that could be read.")],
    options: [
      OptionSpec("paths", .list(.pathGlob), .required, "The files to read."),
      OptionSpec("fields", .map(.fieldType), .required, "The fields that later stages use."),
      OptionSpec(
        "max_line", .anyOf([.size, .constant("none")]), .default("\"8MiB\""),
        "Longer lines are quarantined."),
    ],
    example: """
      { "type": "jsonl", "paths": ["${param.data}/*.jsonl.zst"], "fields": { "id": "string" } }
      """,
    exampleParams: #"{ "data": { "type": "path", "default": "data" } }"#)
}

struct FakeNormalize: FakeStage {
  static let manual = StageManual(
    type: "normalize", kind: .map, summary: "Brings values into one form.",
    accepts: [.records], outputs: [PortSpec(carries: .records, "The records, changed in place.")],
    options: [
      OptionSpec(
        "fields",
        .map(
          .object([
            OptionSpec("trim", .bool, .default("false"), "Cuts white space at both ends."),
            OptionSpec("case", .choice(["upper", "lower"]), .optional, "Changes letters."),
            OptionSpec("map", .path, .optional, "A JSON file of values and what they become."),
            OptionSpec(
              "unmapped", .choice(["keep", "null", "quarantine"]), .default("\"keep\""),
              "What happens to a value that `map` does not know."),
            OptionSpec("replace", .map(.string), .optional, "Texts and what they become."),
            OptionSpec(
              "timestamp", .list(.choice(["rfc3339", "epoch_s", "epoch_ms"])), .optional,
              "The forms of time that are understood."),
          ])), .required, "What is done to each field.")
    ],
    example: #"{ "type": "normalize", "inputs": ["a"], "fields": { "market": { "trim": true } } }"#)
}

struct FakeDedupe: FakeStage {
  static let manual = StageManual(
    type: "dedupe", kind: .barrier, summary: "Keeps one record of each key.",
    accepts: [.records], fanIn: false,
    outputs: [
      PortSpec(carries: .records, "The records that were kept."),
      PortSpec("removed", carries: .rows, "Position and key of each removed record."),
    ],
    options: [
      OptionSpec("key", .list(.fieldPath), .required, "The fields that make two records equal."),
      OptionSpec("keep", .choice(["first", "last"]), .default("\"first\""), "Which one is kept."),
      OptionSpec("order_by", .list(.fieldPath), .optional, "Before the position."),
    ],
    example: #"{ "type": "dedupe", "inputs": ["a"], "key": ["event_id"] }"#)
}

struct FakeFilter: FakeStage {
  static let manual = StageManual(
    type: "filter", kind: .map, summary: "Keeps the records for which an expression is true.",
    accepts: [.records], outputs: [PortSpec(carries: .records, "The records that pass.")],
    options: [OptionSpec("where", .expression, .required, "The condition.")],
    example: #"{ "type": "filter", "inputs": ["a"], "where": "market == 'DE'" }"#)
}

/// Its outputs are its options.
struct FakeSplit: Stage {
  let routes: [String]

  static let manual = StageManual(
    type: "split", kind: .map, summary: "Sends each record down the first route it fits.",
    accepts: [.records], outputs: [PortSpec("NAME", carries: .records, "One for each route.")],
    options: [OptionSpec("routes", .map(.expression), .required, "Conditions by name.")],
    example: #"{ "type": "split", "inputs": ["a"], "routes": { "de": "market == 'DE'" } }"#)

  init?(_ options: Options, _ problems: inout Problems) {
    routes = options.map("routes").map(\.key)
    if routes.isEmpty {
      problems.add("no_routes", at: options.node("routes"), "a split has at least one route")
      return nil
    }
  }

  var outputs: [PortSpec] { routes.map { PortSpec($0, carries: .records, "Route \($0).") } }
}

struct FakeTrend: FakeStage {
  static let manual = StageManual(
    type: "trend", kind: .reduce, summary: "Finds changes in series.",
    accepts: [.records],
    outputs: [
      PortSpec(carries: .findings, "The findings."),
      PortSpec("series", carries: .rows, "Every series."),
    ],
    options: [
      OptionSpec("time", .fieldPath, .required, "The time of the event."),
      OptionSpec("bucket", .duration, .default("\"1d\""), "The step of a series."),
      OptionSpec("through", .date, .default("\"latest\""), "The last day."),
      OptionSpec("by", .list(.fieldPath), .default("[]"), "The fields of a group."),
      OptionSpec("season", .int(1...366), .default("7"), "Buckets of a season."),
      OptionSpec("alpha", .number(0...1), .default("0.05"), "The level of tests."),
      OptionSpec(
        "metrics",
        .map(
          .anyOf([
            .object([OptionSpec("rate", .expression, .required, "The share of records.")]),
            .object([OptionSpec("count", .bool, .required, "The number of records.")]),
            .object([
              OptionSpec("quantile", .number(0...1), .required, "Which quantile."),
              OptionSpec("of", .fieldPath, .required, "Of which field."),
            ]),
          ])), .required, "What is measured."),
    ],
    example: """
      { "type": "trend", "inputs": ["a"], "time": "ts",
        "metrics": { "volume": { "count": true } } }
      """)
}

struct FakeJSONLSink: FakeStage {
  static let manual = StageManual(
    type: "jsonl", kind: .sink, summary: "Writes JSON lines.",
    accepts: [.records, .rows, .findings],
    options: [
      OptionSpec("path", .pathTemplate, .required, "The file, below the output of the run."),
      OptionSpec("level", .int(1...19), .default("3"), "How hard zstd tries."),
    ],
    example: #"{ "type": "jsonl", "inputs": ["a"], "path": "part.jsonl.zst" }"#)
}

struct FakeReport: FakeStage {
  static let manual = StageManual(
    type: "report", kind: .sink, summary: "Writes a page for people.", accepts: [.findings],
    options: [OptionSpec("path", .pathTemplate, .required, "The file.")],
    example: #"{ "type": "report", "inputs": ["a"], "path": "report.html" }"#)
}

let fakeRegistry = StageRegistry([
  FakeJSONLSource.self, FakeNormalize.self, FakeDedupe.self, FakeFilter.self, FakeSplit.self,
  FakeTrend.self, FakeJSONLSink.self, FakeReport.self,
])

/// The spec of the design page.
let goodSpec = #"""
  {
    "$schema": "../docs/schema/pipeline.schema.json",
    "name": "nightly-trends",
    "description": "Violation rate, volume and handle time by market and queue.",
    "partition": ["market", "through"],
    "params": {
      "data":    { "type": "path",   "default": "../data-samples/decisions" },
      "market":  { "type": "string", "default": "*", "description": "ISO 3166 code, or *" },
      "through": { "type": "date",   "default": "latest", "description": "last day reported" }
    },
    "sources": {
      "decisions": { "type": "jsonl", "paths": ["${param.data}/date=*/*.jsonl.zst"],
                     "fields": { "event_id": "string", "ts": "any", "market": "string",
                                 "handle_ms": "int?", "revision": "int" } }
    },
    "transforms": {
      "clean":  { "type": "normalize", "inputs": ["decisions"],
                  "fields": { "market": { "trim": true, "case": "upper", "unmapped": "quarantine" },
                              "queue":  { "trim": true, "replace": { "-": "_" } },
                              "ts":     { "timestamp": ["rfc3339", "epoch_ms"] } } },
      "unique": { "type": "dedupe", "inputs": ["clean"],  "key": ["event_id"], "keep": "last" },
      "scoped": { "type": "filter", "inputs": ["unique"],
                  "where": "params.market == '*' || market == params.market" },
      "trends": { "type": "trend",  "inputs": ["scoped"], "time": "ts", "bucket": "1d",
                  "through": "${param.through}", "by": ["market", "queue"],
                  "metrics": { "violation_rate": { "rate": "decision == 'violation'" },
                               "volume":         { "count": true },
                               "handle_ms_p95":  { "quantile": 0.95, "of": "handle_ms" } } }
    },
    "sinks": {
      "records":  { "type": "jsonl",  "inputs": ["scoped"], "path": "d={ts:%Y-%m-%d}/p.jsonl.zst" },
      "findings": { "type": "jsonl",  "inputs": ["trends"], "path": "findings.jsonl" },
      "report":   { "type": "report", "inputs": ["trends"], "path": "trends.html" }
    }
  }
  """#

/// Checks a text as `weir validate` would, with the fake stages.
func load(
  _ text: String, given: [(name: String, value: String)] = [], allowMissingParams: Bool = false
) -> (CheckedSpec?, Problems) {
  Spec.load(
    Array(text.utf8), file: "spec.json", registry: fakeRegistry, given: given,
    currentDirectory: "/home/ann", allowMissingParams: allowMissingParams)
}
