/// The five kinds of stage that the engine knows.
public enum StageKind: String, Sendable, CaseIterable {
  case source, map, barrier, reduce, sink

  /// Where a stage of this kind is declared.
  public var section: SpecSection {
    switch self {
    case .source: .sources
    case .map, .barrier, .reduce: .transforms
    case .sink: .sinks
    }
  }
}

/// The three sections of a spec that hold stages.
public enum SpecSection: String, Sendable, CaseIterable {
  case sources, transforms, sinks

  /// `source`, `transform`, `sink`.
  public var singular: String { String(rawValue.dropLast()) }
}

/// What an edge carries: records of the input, rows derived from them, or findings.
public enum EdgeKind: String, Sendable, CaseIterable {
  case records, rows, findings
}

/// An output of a stage.
public struct PortSpec: Sendable {
  /// `""` is the default output, which `inputs` names by the stage alone.
  public var name: String
  public var carries: EdgeKind
  public var summary: String

  public init(_ name: String = "", carries: EdgeKind, _ summary: String) {
    self.name = name
    self.carries = carries
    self.summary = summary
  }
}

/// Everything there is to say about a stage type: the schema, the docs page, `weir stages`, the
/// checks and the defaults all come from here.
public struct StageManual: Sendable {
  /// The word in a spec: `"type": "dedupe"`; a source and a sink may share one.
  public var type: String
  public var kind: StageKind
  /// What other tools call it, in lower case without `_` and `-`; for the fix of an unknown type.
  public var synonyms: [String]
  /// One sentence.
  public var summary: String
  /// Markdown: what a user must know beyond the options.
  public var discussion: String
  /// Empty for sources.
  public var accepts: [EdgeKind]
  /// Whether `inputs` may name more than one stage.
  public var fanIn: Bool
  public var outputs: [PortSpec]
  /// All options; `type`, `inputs` and `description` are common to every stage and not listed.
  public var options: [OptionSpec]
  /// JSON of one declaration with `type` and (but for sources) `inputs`; a test checks it.
  public var example: String
  /// Parameters that the example uses, as the JSON of a spec's `params`.
  public var exampleParams: String
  /// Fields that the example's input has, as the JSON of a source's `fields`.
  public var exampleFields: String
  /// Files that the example names, from the folder of its spec.
  public var exampleFiles: [(name: String, text: String)]

  public init(
    type: String, kind: StageKind, summary: String, discussion: String = "",
    accepts: [EdgeKind] = [], fanIn: Bool = true, outputs: [PortSpec] = [],
    options: [OptionSpec] = [], example: String, exampleParams: String = "{}",
    exampleFields: String = "{}", exampleFiles: [(name: String, text: String)] = [],
    synonyms: [String] = []
  ) {
    self.type = type
    self.synonyms = synonyms
    self.kind = kind
    self.summary = summary
    self.discussion = discussion
    self.accepts = accepts
    self.fanIn = fanIn
    self.outputs = outputs
    self.options = options
    self.example = example
    self.exampleParams = exampleParams
    self.exampleFields = exampleFields
    self.exampleFiles = exampleFiles
  }

  /// How the name of a file that it writes ends, from the example: `.jsonl.zst`; empty where it has none.
  var fileEnding: String {
    var problems = Problems()
    let source = SpecSource(name: "example", bytes: Array(example.utf8))
    guard
      let file = SpecJSON.parse(source, problems: &problems)?.member("path")?.value.string
        .map(lastComponent),
      let dot = file.utf8.firstIndex(of: UInt8(ascii: "."))
    else { return "" }
    return String(file[dot...])
  }

  /// JSON of a value for an option of the stage `name`: that of the example where it is short, else one of
  /// the type. A file that is written gets the name of the stage.
  func exampleValue(of option: OptionSpec, for name: String) -> String {
    var problems = Problems()
    let source = SpecSource(name: "example", bytes: Array(example.utf8))
    guard let value = SpecJSON.parse(source, problems: &problems)?.member(option.name)?.value,
      value.range.count <= 60
    else { return option.type.sample }
    if case .pathTemplate = option.type, let file = value.string.map(lastComponent) {
      let dot = file.utf8.firstIndex(of: UInt8(ascii: ".")) ?? file.utf8.endIndex
      return quoted(mendedName(name, separator: "_") + file[dot...])
    }
    return value.sourceText
  }
}
