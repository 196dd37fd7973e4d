/// What other tools call the parts of a spec.
enum Synonyms {
  private static let options: [(meant: String, words: [String])] = [
    (
      "inputs", ["from", "source", "sources", "dependson", "needs", "upstream", "parents", "reads"]
    ),
    ("path", ["file", "filename", "output", "to", "destination", "target"]),
    ("paths", ["file", "files", "filename", "glob", "path"]),
    ("fields", ["schema", "columns", "select", "set"]),
    ("where", ["condition", "filter", "if", "when", "expression", "predicate"]),
    ("by", ["groupby", "group", "dimensions", "groups"]),
    ("key", ["keys", "id", "ids", "on", "primarykey", "unique"]),
    ("order_by", ["sort", "orderby", "order", "sortby"]),
    ("metrics", ["aggregations", "aggregates", "measures", "aggs"]),
    ("bucket", ["interval", "window", "period", "granularity"]),
    ("time", ["timestamp", "date", "timefield", "datetime"]),
    ("trim", ["strip"]), ("rate", ["ratio", "share", "proportion", "percent"]),
    ("mean", ["avg", "average"]), ("sum", ["total"]),
    ("distinct", ["unique", "nunique", "countdistinct", "cardinality"]),
    ("count", ["n", "size", "records", "limit"]), ("table", ["file", "lookup", "with"]),
    ("type", ["kind", "uses", "stage", "plugin", "transform", "operator"]),
  ]
  private static let choices: [(meant: String, words: [String])] = [
    ("last", ["newest", "latest", "max"]), ("first", ["oldest", "earliest", "min"]),
    ("upper", ["uppercase", "capital"]), ("lower", ["lowercase", "small"]),
    ("rfc3339", ["iso", "iso8601", "datetime"]), ("date", ["yyyymmdd", "%y%m%d", "day"]),
    ("null", ["none", "nil", "empty"]), ("error", ["fail"]), ("drop", ["remove", "skip"]),
  ]

  /// The option that is meant by a word, of those that are free.
  static func option(_ word: String, among free: [String]) -> String? {
    find(word, options, free)
  }

  static func choice(_ word: String, among words: [String]) -> String? {
    find(word, choices, words)
  }

  private static func find(
    _ word: String, _ table: [(meant: String, words: [String])], _ known: [String]
  ) -> String? {
    let folded = word.utf8.compactMap { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "_"), UInt8(ascii: "-"), 0x20: nil
      case 0x41...0x5A: byte | 0x20
      default: byte
      }
    }
    return table.first { entry in
      known.contains { same($0, entry.meant) }
        && entry.words.contains { $0.utf8.elementsEqual(folded) }
    }?.meant
  }
}
