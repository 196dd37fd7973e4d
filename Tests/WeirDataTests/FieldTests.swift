import Testing
import WeirData

@Suite struct `A field path` {
  @Test(arguments: [
    ("id", ["id"]), ("model.score", ["model", "score"]), ("\"a.b\".c", ["a.b", "c"]),
    ("c.\"a.b\"", ["c", "a.b"]), ("\"a\".b", ["a", "b"]), ("é.x y.😀", ["é", "x y", "😀"]),
    ("\"\"", [""]), ("a.\"\"", ["a", ""]), ("\".\"", ["."]), ("a/\u{301}b", ["a/\u{301}b"]),
  ])
  func `is read from its text`(text: String, components: [String]) throws {
    let path = try #require(FieldPath(text: text))
    #expect(path.components == components.map { Array($0.utf8) })
    #expect(FieldPath(text: path.text) == path)
  }

  @Test(arguments: [
    "", ".", "a.", ".a", "a..b", "\"a", "a\"", "a\"b\"", "\"a\"b", "\"a\"\"b\"", "\"\"\"\"",
    "\"\"a",
    "\"\"\"a\"",
  ])
  func `is not read from`(text: String) {
    #expect(FieldPath(text: text) == nil)
  }

  @Test func `is told apart by bytes`() {
    #expect(FieldPath(text: "é") != FieldPath(text: "e\u{301}"))
    #expect(FieldPath(text: "a")! < FieldPath(text: "a.b")!)
    #expect(FieldPath(text: "a.z")! < FieldPath(text: "b.a")!)
    #expect(FieldPath(text: "é")! > FieldPath(text: "z")!)
  }
}

@Suite struct `A field type` {
  @Test func `is read from its word, with a question mark where null is allowed`() {
    for base in FieldType.Base.allCases {
      for nullable in [false, true] {
        let type = FieldType(base, nullable: nullable)
        #expect(FieldType(text: type.text) == type)
      }
    }
    #expect(FieldType(text: "int?") == FieldType(.int, nullable: true))
  }

  @Test(arguments: [
    "", "?", "int??", "Int", "integer", " int", "int ", "int?\u{301}", "int\u{600}?", "?int",
    "string\u{0}", "float",
  ])
  func `is not read from`(text: String) {
    #expect(FieldType(text: text) == nil)
  }
}
