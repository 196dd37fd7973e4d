import Testing
import WeirEngine

#if canImport(Glibc)
  import Glibc
#endif

/// A stage type whose manual is wrong in every way that `faults` looks for.
private struct Faulty: FakeStage {
  static let manual = StageManual(
    type: "faulty", kind: .sink, summary: "Is wrong.",
    outputs: [PortSpec(carries: .rows, "A sink has none.")],
    options: [
      OptionSpec("level", .int(1...9), .default("12"), "A default out of range."),
      OptionSpec("type", .string, .optional, "A name that every stage has."),
      OptionSpec("note", .string, .optional, ""),
    ],
    example: #"{ "type": "faulty", "inputs": ["a"], "level": "high" }"#)
}

@Suite struct `The manuals of stages` {
  @Test func `are without faults`() {
    #expect(fakeRegistry.faults() == [])
  }

  @Test func `are told their faults`() {
    let faults = StageRegistry([Faulty.self, Faulty.self]).faults().joined(separator: "\n")
    for words in [
      "the name is used twice", "a source accepts nothing", "a sink has no output",
      "the option 'type' is named twice", "the option 'note' has no summary", "[out_of_range]",
      "[wrong_type]",
    ] {
      #expect(faults.contains(words), "\(faults)")
    }
  }

  @Test func `give a page of documentation`() {
    #expect(FakeDedupe.manual.pagePath == "transforms/dedupe.md")
    #expect(
      stageMarkdown(FakeDedupe.manual) == #"""
        # dedupe

        Keeps one record of each key.

        | | |
        |---|---|
        | kind | barrier, declared under `transforms` |
        | inputs | one, carrying records |
        | output `NAME` | records: The records that were kept. |
        | output `NAME.removed` | rows: Position and key of each removed record. |

        ## Options

        | option | type | | what it does |
        |---|---|---|---|
        | `key` | list of field | required | The fields that make two records equal. |
        | `keep` | "first" or "last" | default `"first"` | Which one is kept. |
        | `order_by` | list of field | optional | Before the position. |

        [`error_budget`](../operations.md#error-budgets) limits how many records the stage may refuse, as for every stage that takes records.

        ## Example

        ```json
        { "type": "dedupe", "inputs": ["a"], "key": ["event_id"] }
        ```

        """#)
    let nested = stageMarkdown(FakeNormalize.manual)
    #expect(nested.contains("| `fields.*.trim` | bool | default `false` |"))
  }

  @Test func `give a text for the terminal`() {
    let text = stageText(FakeJSONLSource.manual, width: 40)
    #expect(
      text == #"""
        jsonl (source)

        Reads JSON lines, one record a line.

        A shard is one file. Its name is what
        stands below the literal part of the
        path.

        - `.jsonl.zst` and `.jsonl.gz` are
        decompressed.

        - Anything else is read as it is.

        OUTPUTS
          NAME (records)
              The records that could be read.

        OPTIONS
          paths list of path with wildcards
          (required)
              The files to read.
          fields map to field type (required)
              The fields that later stages use.
          max_line size, or "none" (default
          "8MiB")
              Longer lines are quarantined.

        As for every stage that takes records,
        "error_budget" limits how many of them
        it may refuse: rate, count, by,
        min_records, on_exceeded.

        EXAMPLE
          { "type": "jsonl", "paths": ["${param.data}/*.jsonl.zst"], "fields": { "id": "string" } }

        """#)
  }
}

@Suite struct `The JSON Schema of pipelines` {
  private let schema = pipelineSchema(fakeRegistry)

  @Test func `is JSON, and the same every time`() throws {
    var problems = Problems()
    let source = SpecSource(name: "pipeline.schema.json", bytes: Array(schema.utf8))
    let root = try #require(SpecJSON.parse(source, problems: &problems))
    #expect(problems.text == "")
    #expect(schema == pipelineSchema(fakeRegistry))
    if let path = getenv("WEIR_SCHEMA_OUT") {
      let file = fopen(String(cString: path), "w")
      fputs(schema, file)
      fclose(file)
    }
    let definitions = try #require(root.member("$defs")?.value.object).map(\.key)
    #expect(
      definitions == [
        "reference", "inputs", "param", "error_budget", "source", "source.jsonl", "transform",
        "transform.normalize", "transform.dedupe", "transform.filter", "transform.split",
        "transform.trend", "sink", "sink.jsonl", "sink.report",
      ])
  }

  @Test func `every reference leads somewhere`() throws {
    var problems = Problems()
    let source = SpecSource(name: "s", bytes: Array(schema.utf8))
    let root = try #require(SpecJSON.parse(source, problems: &problems))
    let definitions = try #require(root.member("$defs")?.value)
    var count = 0
    func walk(_ node: SpecNode) {
      for item in node.array ?? [] { walk(item) }
      for member in node.object ?? [] {
        if member.key == "$ref", let target = member.value.string {
          count += 1
          #expect(definitions.member(String(target.dropFirst("#/$defs/".count))) != nil)
        }
        walk(member.value)
      }
    }
    walk(root)
    #expect(count > 20)
  }

  @Test func `carries the words for hover and the defaults`() {
    #expect(schema.contains(#""description": "Keeps one record of each key.""#))
    #expect(schema.contains(#""default": "first""#))
  }

  @Test func `stands without any stage`() {
    #expect(!pipelineSchema(StageRegistry([])).contains("allOf"))
  }
}
