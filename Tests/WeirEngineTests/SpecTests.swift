import Testing
import WeirData
import WeirEngine

@Suite struct `A spec that is right` {
  @Test func `has no problems and puts its stages in order`() throws {
    let (spec, problems) = load(goodSpec)
    #expect(problems.text == "")
    let checked = try #require(spec)
    #expect(
      checked.stages.map(\.name) == [
        "decisions", "clean", "unique", "scoped", "trends", "records", "findings", "report",
      ])
    #expect(
      checked.stages.map { $0.inputs.map(\.stage) } == [[], [0], [1], [2], [3], [3], [4], [4]])
    #expect(checked.stages[6].inputs[0].carries == .findings)
    #expect(checked.stages[2].kind == .barrier)
    #expect(checked.name == "nightly-trends")
    #expect(checked.partition.map(\.text) == ["*", "latest"])
    #expect(checked.baseDirectory == ".")
  }

  @Test func `the order in the file gives way to the wiring`() throws {
    let (spec, problems) = load(
      #"""
      { "name": "x",
        "sinks": { "out": { "type": "jsonl", "inputs": ["b"], "path": "o" } },
        "transforms": { "b": { "type": "filter", "inputs": ["a"], "where": "true" },
                        "a": { "type": "filter", "inputs": ["in"], "where": "true" } },
        "sources": { "in": { "type": "jsonl", "paths": ["d"], "fields": {} } } }
      """#)
    #expect(problems.text == "")
    #expect(spec?.stages.map(\.name) == ["in", "a", "b", "out"])
  }

  @Test func `options are typed, with defaults and places`() throws {
    let checked = try #require(load(goodSpec).0)
    let trend = checked.stages[4].options
    #expect(trend.duration("bucket") == SpecDuration(count: 1, unit: .day))
    #expect(trend.date("through") == .latest)
    #expect(trend.int("season") == 7)
    #expect(trend.value("season").isDefault)
    #expect(trend.node("season").pointer.description == "/transforms/trends/season")
    #expect(trend.list("by").map(\.fieldPath.text) == ["market", "queue"])
    let metrics = trend.map("metrics")
    #expect(metrics.map(\.key) == ["violation_rate", "volume", "handle_ms_p95"])
    #expect(metrics[2].value.object.number("quantile") == 0.95)
    let source = checked.stages[0].options
    #expect(source.list("paths")[0].string == "../data-samples/decisions/date=*/*.jsonl.zst")
    #expect(source.int("max_line") == 8 << 20)
    #expect(source.map("fields")[3].value.fieldType == FieldType(.int, nullable: true))
    #expect(checked.stages[2].options["order_by"] == nil)
  }

  @Test func `a parameter keeps its type where it is the whole string`() throws {
    let text =
      goodSpec
      .replacing(#""bucket": "1d","#, with: #""bucket": "${param.step}", "season": "${param.n}","#)
      .replacing(
        #""params": {"#,
        with: """
          "params": { "n": { "type": "int", "default": 5 },
                      "step": { "type": "duration", "default": "6h" },
          """)
    let (spec, problems) = load(text, given: [("n", "12")])
    #expect(problems.text == "")
    #expect(spec?.stages[4].options.int("season") == 12)
    #expect(spec?.stages[4].options.duration("bucket").description == "6h")
    let (_, wrong) = load(text, given: [("n", "400")])
    #expect(wrong.sorted.map(\.code) == ["out_of_range"])
  }

  @Test func `a path of the command line is read from there, a default from the spec`() throws {
    let (spec, problems) = load(goodSpec, given: [("data", "in/../there")])
    #expect(problems.text == "")
    #expect(spec?.stages[0].options.list("paths")[0].string == "/home/ann/there/date=*/*.jsonl.zst")
    for kept in ["/abs/x", "s3://bucket/x", "-"] {
      #expect(load(goodSpec, given: [("data", kept)]).0?.params["data"]?.text == kept)
    }
  }

  @Test func `a doubled dollar stands for itself`() throws {
    let (spec, problems) = load(goodSpec.replacing("findings.jsonl", with: "$${param.data}"))
    #expect(problems.text == "")
    #expect(spec?.stages[6].options.string("path") == "${param.data}")
  }

  @Test func `outputs can depend on options`() throws {
    let text = #"""
      { "name": "x", "sources": { "in": { "type": "jsonl", "paths": ["d"], "fields": {} } },
        "transforms": { "s": { "type": "split", "inputs": ["in"], "routes": { "de": "true" } } },
        "sinks": { "out": { "type": "jsonl", "inputs": ["s.de"], "path": "o" } } }
      """#
    let (spec, problems) = load(text)
    #expect(problems.text == "")
    #expect(spec?.stages[2].inputs[0].port == "de")
    let wrong = load(text.replacing("s.de", with: "s")).1.sorted
    #expect(wrong.map(\.code) == ["unknown_output"])
    #expect(wrong.first?.fix == "\"s.de\"")
  }

  @Test func `parameters without value are passed over when only the spec is checked`() {
    let text = goodSpec.replacing(
      #""path",   "default": "../data-samples/decisions""#, with: #""path""#)
    #expect(load(text).1.sorted.map(\.code) == ["missing_param"])
    let (spec, problems) = load(text, allowMissingParams: true)
    #expect(problems.text == "")
    #expect(spec == nil)
    #expect(load(text, given: [("data", "x")]).0 != nil)
  }
}

@Suite struct `The canonical bytes of a spec` {
  @Test func `do not depend on layout, key order, notes or the way a value is said`() throws {
    let bytes = try #require(load(goodSpec).0).canonical
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains(#""season":7"#))
    let same = [
      goodSpec.replacing("  ", with: " "),
      goodSpec.replacing(
        #""type": "dedupe", "inputs": ["clean"],"#, with: #""inputs":["clean"],"type":"dedupe","#),
      goodSpec.replacing(#""bucket": "1d","#, with: ""),
      goodSpec.replacing(#""type": "filter","#, with: #""type": "filter", "description": "x","#),
      goodSpec.replacing(#""type": "filter","#, with: #""type": "\u0066ilter","#),
    ]
    for other in same { #expect(load(other).0?.canonical == bytes) }
  }

  @Test func `change with parameters, options and the order of free keys`() throws {
    let bytes = try #require(load(goodSpec).0).canonical
    #expect(load(goodSpec, given: [("market", "DE")]).0?.canonical != bytes)
    #expect(load(goodSpec, given: [("market", "*")]).0?.canonical == bytes)
    let others = [
      goodSpec.replacing(#""1d""#, with: #""2d""#),
      goodSpec.replacing(
        #"{ "event_id": "string", "ts": "any","#, with: #"{ "ts": "any", "event_id": "string","#),
    ]
    for other in others {
      let changed = try #require(load(other).0).canonical
      #expect(changed != bytes)
    }
  }
}
