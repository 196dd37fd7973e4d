import Testing
import WeirData
import WeirTesting

@Suite struct `Reading JSON back` {
  @Test(arguments: [
    "null", "true", "-7", "1.5", #""é\n\"x\"""#, "[]", "{}", #"[1,[2,{"a":[]}],"x"]"#,
    #"{"b":1,"a":{"c":null},"b":2}"#, "9223372036854775807", "-9223372036854775808",
  ])
  func `gives what was written`(text: String) throws {
    #expect(try JSONValue(reading: Array(text.utf8)).text == text)
  }

  @Test func `takes escapes for what they mean`() throws {
    #expect(try JSONValue(reading: Array(#""\u00e9\ud83d\ude00""#.utf8)).string == "é😀")
  }

  @Test(arguments: [
    "", "{", #"{"a":1"#, "[1,]", "1e999", "nul", #"{"a":1} x"#, #""\ud800""#,
    String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
  ])
  func `refuses what is none, or cannot be held`(text: String) {
    #expect(throws: JSONError.self) { try JSONValue(reading: Array(text.utf8)) }
  }
}
