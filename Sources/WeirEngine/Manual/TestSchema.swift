import WeirData

/// The JSON Schema (draft 2020-12) of a test file, for editors that complete and explain.
public func testSchema() -> String {
  var out: [UInt8] = []
  TestSchema.file.write(&out)
  out.append(0x0A)
  return String(decoding: out, as: UTF8.self)
}

private enum TestSchema {
  static let file: SchemaValue = .object([
    ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
    ("title", .string("Tests of a Weir pipeline")),
    ("type", .string("object")),
    ("required", .array([.string("tests")])),
    ("additionalProperties", .bool(false)),
    (
      "properties",
      .object([
        ("$schema", .words("Where this schema is, for editors.")),
        ("description", .words("A note for people.")),
        (
          "tests",
          .described(
            "The tests, in the order in which they are run.",
            [("type", .string("array")), ("items", .to("test"))])
        ),
      ])
    ),
    (
      "$defs",
      .object([
        ("test", test), ("records", records), ("input", input), ("expect", expect),
        ("counts", counts),
      ])
    ),
  ])

  private static let test = object(
    [
      ("name", .words("What the test shows.")),
      ("description", .words("A note for people.")),
      (
        "params",
        .described(
          "Values of parameters, as --param gives them.",
          [
            ("type", .string("object")),
            (
              "additionalProperties",
              .object([
                (
                  "type",
                  .array(["string", "integer", "number", "boolean"].map { .string($0) })
                )
              ])
            ),
          ])
      ),
      ("start", .words("The stage that the input comes to; without it: the sources.")),
      (
        "end",
        .words(
          "The stage, or one of its outputs as \"stage.output\", whose records, rows or findings are looked at; without it: the files of all sinks."
        )
      ),
      (
        "inputs",
        .described(
          "What each source is given, or the stage under \"start\".",
          [("type", .string("object")), ("additionalProperties", .to("input"))])
      ),
      ("expect", .to("expect")),
    ], required: ["name", "inputs", "expect"])

  private static let records = SchemaValue.described(
    "One entry a line: an object, or the line as text where it is not JSON or its bytes matter.",
    [
      ("type", .string("array")),
      ("items", .object([("type", .array([.string("object"), .string("string")]))])),
    ])

  private static let file_ = object(
    [("file", .words("A file beside the test file: JSONL, plain, .gz or .zst."))],
    required: ["file"])

  private static let input: SchemaValue = .object([
    (
      "anyOf",
      .array([
        .to("records"), file_,
        object(
          [
            (
              "shards",
              .described(
                "Shards by their names; a folder key=value in a name is a field.",
                [
                  ("type", .string("object")),
                  (
                    "additionalProperties",
                    .object([("anyOf", .array([.to("records"), file_]))])
                  ),
                ])
            )
          ], required: ["shards"]),
      ])
    )
  ])

  private static let counts = SchemaValue.described(
    "Numbers of records; those that are not named are not looked at.",
    [
      ("type", .string("object")),
      ("additionalProperties", .object([("type", .string("integer")), ("minimum", .int(0))])),
    ])

  private static var expect: SchemaValue {
    let objects: [(String, SchemaValue)] = [
      ("type", .string("array")), ("items", .object([("type", .string("object"))])),
    ]
    let count: SchemaValue = .object([("type", .string("integer")), ("minimum", .int(0))])
    return object(
      [
        (
          "fields",
          .described(
            "Only these fields of records, rows and findings are compared.",
            [("type", .string("array")), ("items", .object([("type", .string("string"))]))])
        ),
        (
          "records",
          .described(
            "The records that leave the end, all of them in order.",
            [("$ref", .string("#/$defs/records"))])
        ),
        ("rows", .described("The rows that leave the end.", objects)),
        ("findings", .described("The findings that leave the end.", objects)),
        (
          "files",
          .described(
            "Files by their path below the output directory: their lines, or true where it is enough that they are written.",
            [
              ("type", .string("object")),
              (
                "additionalProperties",
                .object([
                  ("anyOf", .array([.to("records"), .object([("type", .string("boolean"))])]))
                ])
              ),
            ])
        ),
        (
          "ledger",
          object(
            TestLedger.runKeys.map { ($0, count) } + [
              (
                "stages",
                .described(
                  "The numbers of single stages.",
                  [
                    ("type", .string("object")),
                    (
                      "additionalProperties",
                      object(
                        TestLedger.stageKeys.map { ($0, count) }
                          + TestLedger.stageObjects.map {
                            ($0, .to("counts"))
                          }, required: [])
                    ),
                  ])
              )
            ], required: [])
        ),
        (
          "codes",
          .described(
            "How many records are refused by each code; codes that are not named must not come up.",
            [("$ref", .string("#/$defs/counts"))])
        ),
        (
          "quarantine",
          .described(
            "The refused records in order: members of the entries of a quarantine; those that are not named are not looked at.",
            objects)
        ),
      ], required: [])
  }

  private static func object(
    _ properties: [(String, SchemaValue)], required: [String]
  ) -> SchemaValue {
    var members: [(String, SchemaValue)] = [("type", .string("object"))]
    if !required.isEmpty { members.append(("required", .array(required.map { .string($0) }))) }
    return .object(
      members + [("additionalProperties", .bool(false)), ("properties", .object(properties))])
  }
}
