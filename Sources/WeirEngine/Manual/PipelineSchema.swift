import WeirData

/// The JSON Schema (draft 2020-12) of a whole spec, for editors that complete and explain.
///
/// It says what one object can say by itself; wiring, expressions and fields are for
/// `weir validate`. A value of any type but an expression may also be `"${param.x}"`.
public func pipelineSchema(_ registry: StageRegistry) -> String {
  var definitions: [(String, SchemaValue)] = [
    ("reference", Schema.reference), ("inputs", Schema.inputs), ("param", Schema.param),
    (ErrorBudget.key, Schema.errorBudget),
  ]
  for section in SpecSection.allCases {
    let manuals = registry.manuals.filter { $0.kind.section == section }
    definitions.append((section.singular, Schema.stage(section, manuals)))
    for manual in manuals {
      definitions.append((Schema.definition(manual), Schema.options(manual)))
    }
  }
  let schema = SchemaValue.object([
    ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
    ("title", .string("Weir pipeline")),
    ("type", .string("object")),
    ("required", .array([.string("name"), .string("sources"), .string("sinks")])),
    ("additionalProperties", .bool(false)),
    ("properties", .object(Schema.topLevel)),
    ("$defs", .object(definitions)),
  ])
  var out: [UInt8] = []
  schema.write(&out)
  out.append(0x0A)
  return String(decoding: out, as: UTF8.self)
}

private enum Schema {
  static let referencePattern = "\\$\\{param\\.[A-Za-z_][A-Za-z0-9_]*\\}"

  static let reference: SchemaValue = .object([
    ("type", .string("string")), ("pattern", .string(referencePattern)),
    ("description", .string("A parameter: ${param.NAME}.")),
  ])

  static let inputs: SchemaValue = .object([
    ("description", .string("The stages this one reads: \"stage\", or \"stage.output\".")),
    ("type", .string("array")), ("minItems", .int(1)), ("uniqueItems", .bool(true)),
    (
      "items",
      .object([
        ("type", .string("string")),
        ("pattern", .string("^[A-Za-z0-9_][A-Za-z0-9_-]*(\\..+)?$")),
      ])
    ),
  ])

  private static let bound: [(String, SchemaValue)] = [
    ("type", .array(["string", "integer", "number"].map { .string($0) }))
  ]

  /// A fragment, or its path.
  static let include: SchemaValue = .object([
    ("type", .string("array")),
    (
      "description",
      .string("Files with sources and transforms that become part of this one.")
    ),
    (
      "items",
      .object([
        (
          "anyOf",
          .array([
            .object([("type", .string("string"))]),
            .object([
              ("type", .string("object")), ("required", .array([.string("file")])),
              ("additionalProperties", .bool(false)),
              (
                "properties",
                .object([
                  ("file", .words("The path of the fragment, from the folder of this file.")),
                  (
                    "with",
                    .described(
                      "Values for the parameters of the fragment.", [("type", .string("object"))])
                  ),
                ])
              ),
            ]),
          ])
        )
      ])
    ),
  ])

  static let param: SchemaValue = .object([
    ("type", .string("object")), ("required", .array([.string("type")])),
    ("additionalProperties", .bool(false)),
    (
      "properties",
      .object([
        (
          "type",
          .object([
            ("description", .string("What values the parameter takes.")),
            ("enum", .array(ParamType.allCases.map { .string($0.rawValue) })),
          ])
        ),
        (
          "default",
          .described(
            "The value where none is given; paths are relative to this file.",
            [("type", .array(["string", "integer", "number", "boolean"].map { .string($0) }))])
        ),
        ("description", .words("What the parameter is for.")),
        ("min", .described("The least value of an int, number, date or duration.", bound)),
        ("max", .described("The greatest value of an int, number, date or duration.", bound)),
        (
          "required", .described("Whether a run must give a value.", [("type", .string("boolean"))])
        ),
        (
          "values",
          .described(
            "The values of an enum.",
            [
              ("type", .string("array")), ("minItems", .int(1)),
              ("items", .object([("type", .string("string"))])),
            ])
        ),
      ])
    ),
    (
      "if",
      .object([
        ("properties", .object([("type", .object([("const", .string("enum"))]))])),
        ("required", .array([.string("type")])),
      ])
    ),
    ("then", .object([("required", .array([.string("values")]))])),
    ("else", .object([("properties", .object([("values", .bool(false))]))])),
  ])

  static let errorBudget = SchemaValue.described(ErrorBudget.summary, members(ErrorBudget.type))

  static var topLevel: [(String, SchemaValue)] {
    let stageName: SchemaValue = .object([("pattern", .string("^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"))]
    )
    func section(_ section: SpecSection, _ words: String) -> (String, SchemaValue) {
      var members: [(String, SchemaValue)] = [
        ("type", .string("object")), ("propertyNames", stageName),
      ]
      if section != .transforms { members.append(("minProperties", .int(1))) }
      members.append(("additionalProperties", .to(section.singular)))
      return (section.rawValue, .described(words, members))
    }
    let strings: SchemaValue = .object([("type", .string("string"))])
    return [
      ("$schema", .words("Where this schema is, for editors.")),
      (
        "name",
        .described(
          "The name of the pipeline, in paths and in the catalogue.",
          [("type", .string("string")), ("pattern", .string("^[a-z0-9-]{1,100}$"))])
      ),
      ("description", .words("One or two sentences for people.")),
      (
        "zone",
        .words(
          "Time zone of the days of trend, correlate, compare, aggregate and `today`: Europe/Berlin."
        )
      ),
      ("include", include),
      (
        "partition",
        .described(
          "Parameters whose values name the directory of a run's output.",
          [("type", .string("array")), ("items", strings), ("uniqueItems", .bool(true))])
      ),
      (
        "ledger_by",
        .described(
          "Fields by which the ledger is kept apart.",
          [("type", .string("array")), ("items", strings)])
      ),
      (ErrorBudget.key, .to(ErrorBudget.key)),
      (
        "params",
        .described(
          "The parameters of a run: params.NAME in expressions, ${param.NAME} in strings.",
          [
            ("type", .string("object")),
            (
              "propertyNames",
              .object([("pattern", .string("^[A-Za-z_][A-Za-z0-9_]{0,63}$"))])
            ),
            ("additionalProperties", .to("param")),
          ])
      ),
      section(.sources, "Where records come from."),
      section(.transforms, "What is done with them."),
      section(.sinks, "Where results go."),
    ]
  }

  /// Any stage of a section: `type` chooses the options.
  static func stage(_ section: SpecSection, _ manuals: [StageManual]) -> SchemaValue {
    var required: [SchemaValue] = [.string("type")]
    if section != .sources { required.append(.string("inputs")) }
    let names = manuals.map { manual in
      SchemaValue.object([
        ("const", .string(manual.type)), ("description", .string(manual.summary)),
      ])
    }
    let type: SchemaValue =
      names.isEmpty ? .bool(false) : .object([("oneOf", .array(names))])
    var members: [(String, SchemaValue)] = [
      ("type", .string("object")), ("required", .array(required)),
      ("properties", .object([("type", type)])),
    ]
    // An empty `allOf` is no valid schema.
    if !manuals.isEmpty {
      members.append(("allOf", .array(manuals.map { optionsOfType($0) })))
    }
    return .object(members)
  }

  /// The options, once `type` says so.
  private static func optionsOfType(_ manual: StageManual) -> SchemaValue {
    let isThisType: SchemaValue = .object([
      ("properties", .object([("type", .object([("const", .string(manual.type))]))])),
      ("required", .array([.string("type")])),
    ])
    return .object([("if", isThisType), ("then", .to(definition(manual)))])
  }

  static func definition(_ manual: StageManual) -> String {
    "\(manual.kind.section.singular).\(manual.type)"
  }

  static func options(_ manual: StageManual) -> SchemaValue {
    var members = object(manual.options)
    guard case .object(var properties) = members[members.count - 1].1 else {
      return .object(members)
    }
    var common: [(String, SchemaValue)] = [("type", .object([("const", .string(manual.type))]))]
    if manual.kind != .source {
      common.append(
        (
          "inputs",
          manual.fanIn
            ? .to("inputs")
            : .object([("$ref", .string("#/$defs/inputs")), ("maxItems", .int(1))])
        ))
    }
    common.append(("description", .words("A note for people.")))
    if manual.canRefuse { common.append((ErrorBudget.key, .to(ErrorBudget.key))) }
    properties = common + properties
    members[members.count - 1].1 = .object(properties)
    return .object([("description", .string(manual.summary))] + members)
  }

  /// The members of an object schema; `properties` comes last.
  private static func object(_ specs: [OptionSpec]) -> [(String, SchemaValue)] {
    var required: [SchemaValue] = []
    var properties: [(String, SchemaValue)] = []
    for spec in specs {
      var extra: [(String, SchemaValue)] = []
      switch spec.presence {
      case .required: required.append(.string(spec.name))
      case .optional: break
      case .default(let text): extra.append(("default", .text(text)))
      }
      properties.append((spec.name, .described(spec.summary, extra + members(spec.type))))
    }
    var members: [(String, SchemaValue)] = [("type", .string("object"))]
    if !required.isEmpty { members.append(("required", .array(required))) }
    return members + [
      ("additionalProperties", .bool(false)), ("properties", .object(properties)),
    ]
  }

  /// The members of the schema of one value.
  private static func members(_ type: OptionType) -> [(String, SchemaValue)] {
    let string: [(String, SchemaValue)] = [("type", .string("string"))]
    switch type {
    case .string: return string
    case .path, .pathGlob, .pathTemplate: return string + [("minLength", .int(1))]
    case .fieldPath: return string + [("minLength", .int(1))]
    case .expression: return string + [("pattern", .string("\\S"))]
    case .bool: return orReference([("type", .string("boolean"))])
    case .int(let range):
      var members: [(String, SchemaValue)] = [("type", .string("integer"))]
      if range.lowerBound > .min { members.append(("minimum", .int(range.lowerBound))) }
      if range.upperBound < .max { members.append(("maximum", .int(range.upperBound))) }
      return orReference(members)
    case .number(let range):
      var members: [(String, SchemaValue)] = [("type", .string("number"))]
      if range.lowerBound > -.infinity { members.append(("minimum", .number(range.lowerBound))) }
      if range.upperBound < .infinity { members.append(("maximum", .number(range.upperBound))) }
      return orReference(members)
    case .size:
      return [
        (
          "anyOf",
          .array([
            .object([("type", .string("integer")), ("minimum", .int(0))]),
            .object(pattern("^[0-9]+(B|[KMGT]iB|kB|[MGT]B)?$")), .to("reference"),
          ])
        )
      ]
    case .duration: return orReference(pattern("^[0-9]{1,7}[smhdw]$"))
    case .date: return orReference(pattern("^([0-9]{4}-[0-9]{2}-[0-9]{2}|latest)$"))
    case .fieldType:
      let words = FieldType.Base.allCases.flatMap { [$0.rawValue, $0.rawValue + "?"] }
      return orReference([("enum", .array(words.map { .string($0) }))])
    case .choice(let words): return orReference([("enum", .array(words.map { .string($0) }))])
    case .constant(let word): return [("const", .string(word))]
    case .list(let element):
      return [("type", .string("array")), ("items", .object(members(element)))]
    case .map(let value):
      return [("type", .string("object")), ("additionalProperties", .object(members(value)))]
    case .object(let specs): return object(specs)
    case .anyOf(let types):
      return [("anyOf", .array(types.map { .object(members($0)) }))]
    }
  }

  private static func pattern(_ pattern: String) -> [(String, SchemaValue)] {
    [("type", .string("string")), ("pattern", .string(pattern))]
  }

  private static func orReference(
    _ members: [(String, SchemaValue)]
  ) -> [(String, SchemaValue)] {
    [("anyOf", .array([.object(members), .to("reference")]))]
  }
}
