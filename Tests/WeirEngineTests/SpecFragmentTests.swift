import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@Suite struct `A spec that includes a fragment` {
  private let spec = #"""
    { "name": "x",
      "params": { "data": { "type": "path", "default": "in" }, "least": { "type": "int", "default": 3 } },
      "include": [{ "file": "parts/read.json", "with": { "folder": "${param.data}", "least": "${param.least}" } }],
      "sinks": { "out": { "type": "jsonl", "inputs": ["kept"], "path": "o.jsonl" } } }
    """#

  private func fragment(_ condition: String = "n >= params.least") -> String {
    #"""
    { "params": { "folder": { "type": "path" }, "extra": { "type": "path", "default": "more" },
                  "least": { "type": "int", "max": 5 } },
      "sources": { "read": { "type": "jsonl", "fields": { "n": "int" },
                             "paths": ["${param.folder}/*", "own/*.jsonl", "../up/*", "${param.extra}/*"] } },
      "transforms": { "kept": { "type": "filter", "inputs": ["read"], "where": "\#(condition)" } } }
    """#
  }

  private func load(
    _ spec: String, _ fragment: String, given: [(name: String, value: String)] = []
  ) throws -> (CheckedSpec?, Problems) {
    try withTemporaryFolder { folder in
      #expect(mkdir(folder.path + "/parts", 0o700) == 0)
      try writePage(Array(fragment.utf8), at: folder.path + "/parts/read.json")
      return Spec.load(
        Array(spec.utf8), file: folder.path + "/spec.json", registry: fakeRegistry, given: given,
        currentDirectory: "/home/ann")
    }
  }

  @Test func `reads each path from the folder of the file in which it stands`() throws {
    let (checked, problems) = try load(spec, fragment())
    let stage = try #require(checked?.stages.first, "\(problems.text)")
    #expect(
      stage.options.list("paths").map(\.string) == [
        "in/*", "parts/own/*.jsonl", "up/*", "parts/more/*",
      ])
    let (given, _) = try load(spec, fragment(), given: [("data", "there")])
    #expect(given?.stages.first?.options.list("paths").first?.string == "/home/ann/there/*")
  }

  @Test func `gives the fragment values, which its own declarations check`() throws {
    let (checked, _) = try load(spec, fragment(), given: [("least", "5")])
    let stage = checked?.stages.first { $0.name == "kept" }
    #expect(stage?.options.params["least"]?.text == "5")
    let (none, problems) = try load(spec, fragment(), given: [("least", "6")])
    #expect(none == nil)
    #expect(problems.sorted.map(\.code) == ["param_out_of_range"])
  }

  @Test func `is another plan where the fragment, or what it is given, is another`() throws {
    let first = try load(spec, fragment()).0?.canonical
    #expect(try load(spec, fragment()).0?.canonical == first)
    #expect(try load(spec, fragment("n > params.least")).0?.canonical != first)
    #expect(try load(spec, fragment(), given: [("least", "4")]).0?.canonical != first)
  }

  @Test func `takes a name that only begins like the way out of a folder`() throws {
    try withTemporaryFolder { folder in
      try writePage(Array(fragment().utf8), at: folder.path + "/..read.json")
      let text = spec.replacing("parts/read.json", with: "..read.json")
      let (checked, problems) = Spec.load(
        Array(text.utf8), file: folder.path + "/spec.json", registry: fakeRegistry,
        currentDirectory: "/")
      // Its "../up/*" leads out of the folder: of that nothing is said here.
      #expect(checked != nil && problems.isEmpty, "\(problems.text)")
    }
  }

  @Test func `is refused by name where a link leads out of its folder`() throws {
    try withTemporaryFolder { outside in
      try writePage(Array(fragment().utf8), at: outside.path + "/read.json")
      try withTemporaryFolder { folder in
        #expect(symlink(outside.path, folder.path + "/parts") == 0)
        let (_, problems) = Spec.load(
          Array(spec.utf8), file: folder.path + "/spec.json", registry: fakeRegistry,
          currentDirectory: "/")
        #expect(problems.sorted.contains { $0.code == "include_escapes" })
      }
    }
  }
}

@Suite struct `A relative date` {
  private func value(_ text: String, zone: String = "UTC", now: Int64 = 1_790_000_000) -> String? {
    let spec = goodSpec.replacing("\"partition\":", with: "\"zone\": \"\(zone)\", \"partition\":")
    return Spec.load(
      Array(spec.utf8), file: "spec.json", registry: fakeRegistry,
      given: GivenParams([("through", text)]), now: now
    ).0?.params["through"]?.text
  }

  @Test func `is counted from the day of the run`() {
    // 2026-09-21T14:13:20Z
    #expect(value("today") == "2026-09-21")
    #expect(value("today-1d") == "2026-09-20")
    #expect(value("today+2w") == "2026-10-05")
    #expect(value("latest-7d") == "latest-7d")
    #expect(value("latest-1w") == "latest-7d")
    #expect(value("2026-10-04") == "2026-10-04")
    for wrong in ["today-1h", "today-", "latest+1d", "today-1000000d", "todayx", "today- 1d"] {
      #expect(value(wrong) == nil, "\(wrong)")
    }
  }

  @Test func `begins with the day in the zone of the spec`() {
    // 2026-09-21T23:30:00Z
    #expect(value("today", now: 1_790_033_400) == "2026-09-21")
    #expect(value("today", zone: "+01:00", now: 1_790_033_400) == "2026-09-22")
  }

  @Test func `counts as given, so that a run that is resumed later has the same day`() {
    let spec = goodSpec.replacing("\"default\": \"latest\"", with: "\"default\": \"today-1d\"")
    let checked = Spec.load(
      Array(spec.utf8), file: "spec.json", registry: fakeRegistry, now: 1_790_000_000
    ).0
    #expect(checked?.params["through"]?.text == "2026-09-20")
    #expect(checked?.params.given == ["through"])
  }
}

@Suite struct `A file of parameters` {
  private func load(
    _ text: String, _ list: [(name: String, value: String)] = []
  ) -> (CheckedSpec?, Problems) {
    let file = SpecSource(name: "conf/de.json", bytes: Array(text.utf8))
    return Spec.load(
      Array(goodSpec.utf8), file: "spec.json", registry: fakeRegistry,
      given: GivenParams(list, file: file, currentDirectory: "/home/ann"))
  }

  @Test func `gives values, before which those of the command line go`() {
    let text = #"{ "market": "DE", "data": "../shards" }"#
    #expect(load(text).0?.params["market"]?.text == "DE")
    #expect(load(text).0?.params["data"]?.text == "/home/ann/shards")
    #expect(load(text, [("market", "FR")]).0?.params["market"]?.text == "FR")
  }

  @Test func `is told its mistakes with their places`() {
    let problems = load("{ \"markt\": \"DE\",\n  \"through\": 3 }").1.sorted
    #expect(problems.map(\.code) == ["unknown_param", "wrong_param"])
    #expect(problems.map(\.file) == ["conf/de.json", "conf/de.json"])
    #expect(problems.map(\.line) == [1, 2])
    #expect(problems[0].fix == "\"market\"")
    #expect(problems[0].expected == "one of data (path), market (string) or through (date)")
  }
}
