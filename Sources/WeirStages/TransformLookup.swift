import WeirData
import WeirEngine

/// Adds fields that stand in a table, by a key.
public struct Lookup: MapStage {
  public static let manual = StageManual(
    type: "lookup", kind: .map,
    summary: "Add fields from a table beside the spec: rosters, taxonomies, names for codes.",
    discussion: """
      `on` says how a record finds its row: `{"moderator": "id"}` compares the field `moderator` with \
      the column `id`, and `"moderator"` alone with a column of the same name. Text is compared byte by \
      byte (bring it into one form with `normalize` before), an `int` field with whole numbers. A record \
      has at most one row: a key that stands in two rows of the table is an error, with both lines.

      `fields` names the columns to add, `["team", "site"]`, or gives them names: `{"team": "team_name"}` \
      makes the field `team` of the column `team_name`. With a type, `{"column": "seats", "type": "int"}`, \
      texts are read as such; without, what is in CSV is text, and what is in JSON what it is there.

      The ending of `table` says what it is: `.csv` (RFC 4180, the names of the columns in the first \
      line, an empty cell is null), `.jsonl` (an object a line) or `.json` (a list of objects); with `.zst` or \
      `.gz` behind it the file is compressed, as in `teams.csv.zst`. It has up to 32 MiB (`.json` 8 MiB), \
      also unpacked, and lies in the folder of the spec or below it. Its content is part of \
      what a run depends on: with another table the next run makes everything anew.

      `unmatched` says what becomes of a record whose key is null or in no row: `quarantine` refuses it as \
      `unmatched_key`, `null` leaves the new fields null, `default` takes the `default` of each field, \
      `drop` counts it as filtered. What stays goes on in its order, with the new fields at its end.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records with the new fields.")],
    options: [
      OptionSpec("table", .path, .required, "The file, from the folder of the spec."),
      OptionSpec(
        "on", .anyOf([.fieldPath, .map(.string)]), .required,
        "The fields that are the key, each with its column."),
      OptionSpec(
        "fields", .anyOf([.list(.string), .map(.anyOf([.string, .object(fieldOptions)]))]),
        .required, "The columns to add, or new fields with the column of each."),
      OptionSpec(
        "unmatched", .choice(["quarantine", "null", "default", "drop"]), .default("\"quarantine\""),
        "What becomes of a record without a row."),
      OptionSpec(
        "delimiter", .choice([",", ";", "\t"]), .default("\",\""),
        "What stands between cells of CSV."),
    ],
    example: """
      {
        "type": "lookup",
        "inputs": ["clean"],
        "table": "teams.csv",
        "on": {"moderator": "id"},
        "fields": {
          "team": {"column": "team", "default": "unassigned"},
          "seats": {"column": "seats", "type": "int", "default": 0}
        },
        "unmatched": "default"
      }
      """,
    exampleFields: #"{"event_id": "string", "moderator": "string?"}"#,
    exampleFiles: [
      (
        "teams.csv",
        """
        id,team,seats
        violation,north,12
        DE,"south, night",7

        """
      )
    ],
    synonyms: [
      "join", "enrich", "leftjoin", "merge", "vlookup", "geoip", "reference", "enrichment", "map",
    ])

  private static let fieldOptions: [OptionSpec] = [
    OptionSpec("column", .string, .required, "The column of the table."),
    OptionSpec(
      "type", .fieldType, .optional,
      "What its values are: `string`, `int`, `number`, `bool` or `timestamp`, with `?` where a row may have none."
    ),
    OptionSpec(
      "default",
      .anyOf([
        .string, .bool, .int(Int.min...Int.max),
        .number(-.infinity ... .infinity),
      ]),
      .optional, "The value for a record without a row."),
  ]

  private struct Key {
    var path: FieldPath
    var node: SpecNode
    var column: String
    var columnNode: SpecNode
    /// "on" is the field alone.
    var isBare = false
  }
  private let table: OptionValue
  private let form: LookupFile.Form
  private let keys: [Key]
  private let fields: [(path: FieldPath, node: SpecNode, demand: LookupDemand.Field)]
  private let unmatched: BoundLookup.Unmatched
  private let delimiter: UInt8
  private let tables = LookupTables()

  public init?(_ options: Options, _ problems: inout Problems) {
    let before = problems.errorCount
    table = options.value("table")
    let form = LookupFile.Form(path: table.string)
    if form == nil {
      problems.add(
        "unknown_table_form", at: table.node, "the ending of \(shown(table.string)) says nothing",
        expected:
          "a name that ends in .csv, .jsonl or .json, and in .zst or .gz where it is compressed",
        fix: "give the file the ending of what it is")
    }
    self.form = form ?? .csv
    delimiter = options.string("delimiter").utf8.first ?? UInt8(ascii: ",")
    unmatched = BoundLookup.Unmatched(rawValue: options.string("unmatched")) ?? .quarantine
    keys = Lookup.keys(options.value("on"), &problems)
    fields = Lookup.fields(options.value("fields"), &problems)
    if let delimiter = options["delimiter"], !delimiter.isDefault, form != nil, form != .csv {
      problems.add(
        "unused_option", at: delimiter.node, "only CSV has a delimiter", fix: "remove it")
    }
    for field in fields {
      if let fallback = field.demand.fallback, unmatched != .default {
        problems.add(
          "unused_option", at: fallback.node,
          "the default of `\(field.path.text)` is never taken: \"unmatched\" is \"\(unmatched.rawValue)\"",
          fix: "write \"unmatched\": \"default\", or remove it")
      } else if field.demand.fallback == nil, unmatched == .default {
        problems.add(
          "missing_default", at: field.node, "`\(field.path.text)` has no default",
          expected: "a default for each field, as \"unmatched\" is \"default\"",
          fix: "write {\"column\": \(quoted(field.demand.column)), \"default\": \"unknown\"}")
      }
    }
    if problems.errorCount > before { return nil }
  }

  private static func keys(_ on: OptionValue, _ problems: inout Problems) -> [Key] {
    if case .fieldPath(let path) = on.content {
      let name = String(decoding: path.components[path.components.count - 1], as: UTF8.self)
      return [Key(path: path, node: on.node, column: name, columnNode: on.node, isBare: true)]
    }
    if on.map.isEmpty {
      problems.add(
        "empty_key", at: on.node, "\"on\" names no field", fix: "{\"moderator\": \"id\"}")
    }
    return on.map.compactMap { entry in
      guard
        let path = entry.keyPath(
          fix: "write a name, with dots between where it lies in an object: \"user.name\"",
          &problems)
      else { return nil }
      return Key(
        path: path, node: entry.keyNode, column: entry.value.string, columnNode: entry.value.node)
    }
  }

  private static func fields(
    _ option: OptionValue, _ problems: inout Problems
  ) -> [(path: FieldPath, node: SpecNode, demand: LookupDemand.Field)] {
    var fields: [(path: FieldPath, node: SpecNode, demand: LookupDemand.Field)] = []
    func add(_ path: FieldPath, _ node: SpecNode, _ demand: LookupDemand.Field) {
      if path.components.count > 1 {
        problems.add(
          "nested_field", at: node, "new fields are added to the record itself",
          fix: "write a plain name: \"team\"")
      } else if fields.contains(where: { $0.path == path }) {
        problems.add(
          "duplicate_field", at: node, "`\(path.text)` is named twice", fix: "keep one of the two")
      }
      if let type = demand.type, type.base == .any {
        problems.add(
          "wrong_field_type", at: node, "a column has one type, and `any` is none",
          expected: "string, int, number, bool or timestamp")
      }
      fields.append((path, node, demand))
    }
    if case .list(let names) = option.content {
      for name in names {
        add(
          FieldPath(components: [Array(name.string.utf8)]), name.node,
          LookupDemand.Field(column: name.string, node: name.node))
      }
    } else {
      for entry in option.map {
        guard let path = entry.keyPath(fix: "write a plain name: \"team\"", &problems) else {
          continue
        }
        var demand: LookupDemand.Field
        if case .object(let object) = entry.value.content {
          let column = object.value("column")
          demand = LookupDemand.Field(
            column: column.string, node: column.node, type: object["type"]?.fieldType,
            fallback: object["default"])
        } else {
          demand = LookupDemand.Field(column: entry.value.string, node: entry.value.node)
        }
        add(path, entry.keyNode, demand)
      }
    }
    if fields.isEmpty, !problems.hasErrors {
      problems.add(
        "nothing_to_do", at: option.node, "\"fields\" names no column", fix: "[\"team\"]")
    }
    return fields
  }

  public var newFields: [String] { fields.map(\.path.text) }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let before = problems.errorCount
    var bound: [BoundLookup.Key] = []
    for key in keys {
      guard let field = scope.require(key.path, at: key.node, &problems) else { continue }
      guard field.type.base == .string || field.type.base == .int else {
        problems.add(
          "wrong_field_type", at: key.node,
          "`\(key.path.text)` is \(field.type.text), which finds no row",
          expected: "a field of type string or int",
          fix: "declare it so, or normalize it before")
        continue
      }
      bound.append(
        BoundLookup.Key(path: key.path, column: field.column, type: field.type.base))
    }
    for field in fields { _ = scope.isFree(field.path, at: field.node, &problems) }
    guard problems.errorCount == before, let table = table(bound, context, &problems) else {
      return nil
    }
    let columns = zip(fields, table.columns).map { field, column in
      let canLack = unmatched == .null
      return scope.define(
        field.path,
        FieldType(column.type.base, nullable: column.type.isNullable || canLack))
    }
    return BoundLookup(
      keys: bound, columns: columns, table: table, unmatched: unmatched, path: self.table.string)
  }

  private func table(
    _ bound: [BoundLookup.Key], _ context: BindContext, _ problems: inout Problems
  ) -> LookupTable? {
    guard
      let bytes = context.readFileBelow(
        table.string, atMost: LookupFile.bytesMax, at: table.node, &problems)
    else { return nil }
    let identity = sha256(bytes) + bound.flatMap { Array("\($0.type.rawValue) ".utf8) }
    if let known = tables.find(identity) { return known }
    let demand = LookupDemand(
      keys: zip(keys, bound).map {
        LookupDemand.Key(
          column: $0.column, type: $1.type, node: $0.columnNode,
          bareField: $0.isBare ? $0.path.text : nil)
      },
      fields: fields.map(\.demand), tableNode: table.node, delimiter: delimiter)
    let path = context.resolve(table.string)
    guard let text = LookupFile.text(of: bytes, path, at: table.node, &problems) else { return nil }
    let source = SpecSource(name: path, bytes: text)
    guard let made = demand.makeTable(source, form, &problems) else { return nil }
    tables.keep(made, identity)
    return made
  }
}
