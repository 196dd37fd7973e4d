import Testing
import WeirTesting

@testable import WeirData

@Suite struct `JSON that is written` {
  /// Reads a text back with the exact reader.
  private func read(_ bytes: [UInt8]) throws -> JSONValue {
    try bytes.withUnsafeBufferPointer { view in
      var tokens = JSONTokens(view)
      func string(_ token: JSONToken) throws -> [UInt8] {
        try #require(unescapeJSON(UnsafeBufferPointer(rebasing: view[token.range])))
      }
      func value(_ token: JSONToken) throws -> JSONValue {
        switch token.kind {
        case .null: return .null
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .string: return .string(try string(token))
        case .number:
          let text = String(decoding: view[token.range], as: UTF8.self)
          return try Int64(text).map { .int($0) } ?? .number(#require(Double(text)))
        case .beginArray:
          var elements: [JSONValue] = []
          while let next = try tokens.next(), next.kind != .endArray {
            elements.append(try value(next))
          }
          return .array(elements)
        case .beginObject:
          var members: [JSONMember] = []
          while let next = try tokens.next(), next.kind != .endObject {
            let key = String(decoding: try string(next), as: UTF8.self)
            members.append(JSONMember(key, try value(#require(try tokens.next()))))
          }
          return .object(members)
        default: throw JSONError(code: .syntax, offset: 0, message: "\(token.kind)")
        }
      }
      let result = try value(#require(try tokens.next()))
      #expect(try tokens.next() == nil)
      return result
    }
  }

  private func number(_ value: Double) -> String { JSONValue.number(value).text }

  @Test(
    arguments: [
      (0, "0"), (-0.0, "0"), (1, "1"), (-17, "-17"), (0.1, "0.1"), (1e15, "1000000000000000"),
      (999_999_999_999_999, "999999999999999"), (1e22, "1e+22"), (1.5e-7, "1.5e-07"),
      (123_456.789, "123456.789"), (.leastNonzeroMagnitude, "5e-324"),
      (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (1.0 / 3, "0.3333333333333333"),
    ] as [(Double, String)])
  func `has the shortest numbers`(value: Double, text: String) {
    #expect(number(value) == text)
  }

  @Test func `has numbers that read back as they were`() throws {
    var random = SeededRandom(seed: 5)
    for i in 0..<50_000 {
      let value =
        i % 2 == 0
        ? Double(bitPattern: random.next())
        : Double(random.below(1 << 40)) / Double(1 + random.below(999))
      guard value.isFinite else { continue }
      let text = number(value)
      if Double(text) != value || exactError(Array(text.utf8)) != nil { Issue.record("\(text)") }
    }
  }

  @Test func `has strings that read back as they were`() throws {
    let all = String(String.UnicodeScalarView((0..<0x300).compactMap(Unicode.Scalar.init)))
    for text in [all, "", "\"\\/", "\u{2028}</script>", "\u{10FFFF}\u{FEFF}", "e\u{301}é"] {
      let written = JSONValue.text(text).bytes()
      #expect(try read(written) == .string(Array(text.utf8)))
      #expect(written.allSatisfy { $0 >= 0x20 })
    }
    let controls = JSONValue.text("\u{0}\u{1F}\n\t\r\u{8}\u{C}\u{7F}").text
    #expect(controls == #""\u0000\u001f\n\t\r\b\f"# + "\u{7F}\"")
  }

  @Test func `comes back as it was, on one line or indented`() throws {
    let value: JSONValue = [
      "id": 9_007_199_254_740_993, "é": [true, false, .null, []], "empty": [:],
      "inner": ["a": ["b": "c"], "x": .number(0.5)], "": .int(Int64.min), "list": [1, [2, [3]]],
    ]
    #expect(try read(value.bytes()) == value)
    #expect(try read(value.bytes(indented: true)) == value)
    #expect(!value.bytes().contains(0x0A))
    let small: JSONValue = ["a": [1, 2], "b": [], "c": [:]]
    #expect(small.text == #"{"a":[1,2],"b":[],"c":{}}"#)
    #expect(
      String(decoding: small.bytes(indented: true), as: UTF8.self) == """
        {
          "a": [
            1,
            2
          ],
          "b": [],
          "c": {}
        }
        """)
  }

  @Test func `has members that are found by the bytes of their key`() {
    let value: JSONValue = ["e\u{301}": 1, "é": 2]
    #expect(value["é"] == 2)
    #expect(value["e\u{301}"] == 1)
    #expect(value["x"] == nil)
    #expect(JSONValue.null["x"] == nil)
    #expect(JSONMember("é", 1) != JSONMember("e\u{301}", 1))
  }
}

@Suite struct `The exact reader of JSON` {
  private func error(_ text: String) -> JSONError? { exactError(Array(text.utf8)) }

  @Test func `says where and why a text is not JSON`() {
    #expect(error("{\"a\":1,}")?.offset == 7)
    #expect(error("{\"a\" 1}")?.message == "expected a colon behind the key")
    #expect(error("[1,2")?.message == "the text ends inside an array")
    #expect(error("[01]")?.offset == 2)
    #expect(error("tru")?.message == "expected true")
    #expect(error("\"\u{1}\"")?.offset == 1)
    #expect(error("1 2")?.offset == 2)
    #expect(
      exactError([0x22, 0xFF, 0x22]) == JSONError(code: .utf8, offset: 1, message: "not UTF-8"))
    #expect(exactError([0x5B, 0xFF])?.code == .utf8)
  }

  @Test func `knows UTF-8 as Unicode says it, for every scalar and every two bytes`() {
    for value in stride(from: UInt32(0), through: 0x10FFFF, by: 7) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let bytes = Array(String(scalar).utf8)
      bytes.withUnsafeBufferPointer {
        if validSequence(in: $0, at: 0) != bytes.count { Issue.record("U+\(value)") }
      }
    }
    var random = SeededRandom(seed: 6)
    for i in 0..<200_000 {
      let bytes =
        i < 65_536
        ? [UInt8(i >> 8), UInt8(i & 255)]
        : (0..<5).map { _ in
          random.pick([
            0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5,
          ])
        }
      let expected = String(validating: bytes, as: UTF8.self) != nil
      if bytes.withUnsafeBufferPointer({ isUTF8($0) }) != expected { Issue.record("\(bytes)") }
    }
  }
}
