import WeirData
import WeirEngine

/// Brings the values of fields into one form.
public struct Normalize: MapStage {
  public static let manual = StageManual(
    type: "normalize", kind: .map,
    summary: "Bring the values of fields into one form: text, codes, numbers, times.",
    discussion: """
      Two spellings of one market are two markets to every count behind. This stage makes them one, \
      and tells you of each value that it does not know.

      The steps of a field run in this order, however they are written:

      1. `unicode`: characters that are built of parts become one (NFC), so that `é` is `é` \
      whichever way it was typed.
      2. `trim`: white space goes at both ends, also the no-break space that comes with copied text.
      3. `case`: all letters upper or lower, by the full rules of Unicode and the same in every \
      country: `straße` becomes `STRASSE`.
      4. `replace`: each literal becomes another. The text is read once from left to right; where \
      several literals fit, the longest is taken, and what was put in is not read again.
      5. `map`: the value is looked up in a table and becomes what stands there.
      6. `values`: the value must be one of a list.

      The keys of a map are compared byte for byte with what the steps before it made of the value. \
      Under `"case": "upper"` a key `de` is never found: `weir validate` warns of such keys. A map \
      is written in the spec, or kept as a JSON file, which can grow to 16 MiB:

      ```json
      {"DE": "DE", "GER": "DE", "GERMANY": "DE", "FR": "FR", "FRANCE": "FR"}
      ```

      A value that `map` or `values` do not know is quarantined, unless `unmapped` says otherwise: \
      `"null"` makes it null (the field becomes nullable), `"keep"` passes it on as it is after the \
      steps before. Quarantine shows you a new market on the day that it appears; with `keep` it \
      becomes a new group in every report.

      `number` reads numbers that were written as text, in the way JSON writes them (`12`, `-0.5`, \
      `1e6`); numbers that are numbers already pass. `"int"` wants a whole number.

      `timestamp` reads times in the forms that you name. `epoch_s`, `epoch_ms` and `epoch_us` read \
      numbers, and strings of digits; only one of them can be named, since a unit is never guessed \
      from the size of a number. `date` reads `2026-10-04` as its midnight in UTC. Times end at the \
      microsecond: an RFC 3339 time or a string of digits with more is refused, a number with a \
      fraction is rounded to the nearest.

      Null and absent stay what they are. A field that is declared `any` may hold anything; what a \
      step cannot take is quarantined.

      | code in the quarantine | what to do |
      |---|---|
      | `unmapped_value` | add the value to the map, or set `unmapped` |
      | `not_in_values` | add it to `values`, or set `unmapped` |
      | `bad_timestamp` | name its form under `timestamp`, or repair the source |
      | `bad_number` | look for units or separators in it: `1,200` and `5 ms` are not numbers |
      | `wrong_type` | the field holds an object, a boolean or the like: repair the source |
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records with their fields in one form.")],
    options: [
      OptionSpec("fields", .map(.object(fieldOptions)), .required, "What is done to each field.")
    ],
    example: """
      {
        "type": "normalize",
        "inputs": ["decisions"],
        "fields": {
          "market": {
            "trim": true,
            "case": "upper",
            "map": {"DE": "DE", "GERMANY": "DE", "FR": "FR", "FRANCE": "FR"},
            "unmapped": "quarantine"
          },
          "queue": {"trim": true, "case": "lower", "replace": {"-": "_", " ": "_"}},
          "decision": {"case": "lower", "values": ["violation", "no_violation", "escalated"]},
          "handle_ms": {"trim": true, "number": "int"},
          "ts": {"timestamp": ["rfc3339", "epoch_ms"]}
        }
      }
      """,
    exampleFields: """
      {
        "market": "string", "queue": "string", "decision": "string", "handle_ms": "any?",
        "ts": "any"
      }
      """,
    synonyms: [
      "clean", "cleanup", "standardize", "standardise", "cast", "convert", "transform",
      "canonicalize",
    ])

  private static let fieldOptions: [OptionSpec] = [
    OptionSpec(
      "unicode", .choice(["nfc"]), .optional,
      "`nfc` composes characters, so that texts that look the same are the same."),
    OptionSpec("trim", .bool, .default("false"), "Cuts white space at both ends."),
    OptionSpec(
      "case", .choice(["upper", "lower"]), .optional, "Makes all letters upper or lower."),
    OptionSpec(
      "replace", .map(.string), .optional,
      "Literals and what each becomes; the longest that fits is taken."),
    OptionSpec(
      "map", .anyOf([.path, .map(.string)]), .optional,
      "A JSON file of values and what they become, or the table itself."),
    OptionSpec(
      "values", .list(.string), .optional, "The values that are allowed after all other steps."),
    OptionSpec(
      "unmapped", .choice(["quarantine", "keep", "null"]), .default("\"quarantine\""),
      "What becomes of a value that `map` or `values` do not know."),
    OptionSpec(
      "number", .choice(["int", "number"]), .optional,
      "Reads numbers that are written as text; not with other steps than `trim`."),
    OptionSpec(
      "timestamp", .list(.choice(["rfc3339", "date", "epoch_s", "epoch_ms", "epoch_us"])),
      .optional, "The forms of time that are read; not with other steps than `trim`."),
  ]

  private let fields: [NormalizeField]

  public init?(_ options: Options, _ problems: inout Problems) {
    var fields: [NormalizeField] = []
    var hasFaults = false
    for entry in options.map("fields") {
      guard let field = NormalizeField(entry, &problems) else {
        hasFaults = true
        continue
      }
      if let first = fields.first(where: { $0.path == field.path }) {
        problems.add(
          "duplicate_entry", at: entry.keyNode, "`\(field.path.text)` stands twice in \"fields\"",
          fix: "write all its steps in one place", related: [.init("first here", at: first.keyNode)]
        )
        hasFaults = true
      }
      fields.append(field)
    }
    if options.map("fields").isEmpty {
      problems.add(
        "nothing_to_do", at: options.node("fields"), "\"fields\" names no field",
        fix: "\"market\": {\"trim\": true}")
      hasFaults = true
    }
    guard !hasFaults else { return nil }
    self.fields = fields
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let before = scope
    var bound: [BoundNormalizeField] = []
    for field in fields {
      if let field = field.bind(before, into: &scope, context, &problems) { bound.append(field) }
    }
    return bound.count == fields.count ? BoundNormalize(fields: bound) : nil
  }
}
