import Testing
import WeirData
import WeirTesting

@testable import WeirStages

/// What is cut out of a record takes its comma with it, and nothing else goes.
@Suite struct `Cutting fields out of records` {
  /// A record whose members are known, with white space wherever JSON allows it.
  private struct Sample {
    var text = ""
    var members: [(key: String, value: String)] = []
  }

  private static let names = ["a", "b", "c", "d"]
  private static let values = [
    "1", "-0.50", "null", "true", #""x""#, #""a, b""#, #""}""#, #"{"a":1,"b":[2]}"#, "[]", "{}",
    #""\"a\":""#, #"[",",{}]"#,
  ]

  private func sample(_ random: inout SeededRandom, spaced: Bool) -> Sample {
    func space() -> String {
      guard spaced else { return "" }
      return (0..<random.below(3)).map { _ in random.pick([" ", "\t", "\r"]) }.joined()
    }
    var sample = Sample()
    var keys = Self.names.filter { _ in !random.oneIn(3) }
    if random.oneIn(2) { keys.append("other") }
    keys.shuffle(using: &random)
    for key in keys { sample.members.append((key, random.pick(Self.values))) }
    // A line that begins with white space is a record too.
    sample.text = space() + "{" + space()
    for (i, member) in sample.members.enumerated() {
      if i > 0 { sample.text += "," + space() }
      sample.text += "\"\(member.key)\"" + space() + ":" + space() + member.value + space()
    }
    // A carriage return there would be part of the line's end.
    sample.text += "}" + (spaced && random.oneIn(2) ? " \t" : "")
    return sample
  }

  /// Without the white space between tokens.
  private func packed(_ text: String) -> String {
    var isString = false
    var isEscaped = false
    return String(
      decoding: text.utf8.filter { byte in
        defer {
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isString.toggle()
          }
        }
        return isString || ![0x20, 0x09, 0x0D].contains(byte)
      }, as: UTF8.self)
  }

  @Test(arguments: [true, false])
  func `any fields of any record`(spaced: Bool) async throws {
    var random = SeededRandom(seed: spaced ? 11 : 12)
    let fields = #"{"a": "any?", "b": "any?", "c": "any?", "d": "any?"}"#
    for cut in [["a"], ["b", "d"], ["a", "b", "c"], ["d", "c"]] {
      let samples = (0..<400).map { _ in sample(&random, spaced: spaced) }
      let list = cut.map { "\"\($0)\"" }.joined(separator: ", ")
      let made = try await run(
        pipeline(
          fields: fields,
          transforms: #""less": {"type": "drop", "inputs": ["s"], "fields": [\#(list)]}"#,
          sinks: jsonlSink("out", "less")), [("a.jsonl", samples.map(\.text))])
      let records = try made.records("out.jsonl")
      try #require(made.error == nil && records.count == samples.count)
      for (record, sample) in zip(records, samples) {
        let left = sample.members.filter { !cut.contains($0.key) }
        let expected = left.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        #expect(packed(record) == "{\(expected)}", "of \(sample.text)")
        if left.count == sample.members.count { #expect(record == sample.text) }
        if !spaced { #expect(record == "{\(expected)}") }
      }
    }
  }

  @Test func `a change that only cuts copies what is left, whatever was written before`()
    async throws
  {
    // Nothing has been written into the buffer of new values when the first record is cut.
    let records = [
      #"{"n":1}"#, #"{"n":1,"z":2}"#, #"{"z":2,"n":1}"#, #"{"y":0,"n":1,"z":2}"#, "{ \"n\" : 1 }",
      "\t{ \"n\" : 1 , \"z\" : 2 }\t", "{}", "{ }",
    ]
    for count in 1...records.count {
      let made = try await run(
        pipeline(
          fields: #"{"n": "any?", "z": "any?"}"#,
          transforms: #""less": {"type": "drop", "inputs": ["s"], "fields": ["n"]}"#,
          sinks: jsonlSink("out", "less")), [("a.jsonl", Array(records.suffix(count)))])
      #expect(
        try made.records("out.jsonl")
          == [
            "{}", #"{"z":2}"#, #"{"z":2}"#, #"{"y":0,"z":2}"#, "{  }", "\t{ \"z\" : 2 }\t", "{}",
            "{ }",
          ].suffix(count))
    }
  }
}
