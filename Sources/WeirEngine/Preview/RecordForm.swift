import WeirData

/// How records stand outside of a pipeline, as lines: the source type that reads them, for which folders
/// `key=value` are fields, and the sink type that writes them. Previews and tests show records as that sink would write them.
public struct RecordForm: Sendable {
  private let registry: StageRegistry
  private let type: String

  /// - Parameter type: the name of a source with `paths` and `fields` and of a sink with `path`.
  public init(_ registry: StageRegistry, type: String) {
    self.registry = registry
    self.type = type
  }

  func sink() -> (stage: any SinkStage, options: Options) {
    let (stage, options) = make(.sinks, ["path": "records"])
    guard let sink = stage as? any SinkStage else { preconditionFailure("\(type) is no sink") }
    return (sink, options)
  }

  /// A source of records with these fields; those of a path come from the names of its shards.
  func source(_ fields: [Scope.Field]) -> (stage: any SourceStage, options: Options) {
    let declared = fields.map { JSONMember($0.path.text, .text($0.type.text)) }
    let folders = fields.filter(\.isOfPath).map { "\($0.path.text)=*/" }
    let (stage, options) = make(
      .sources, ["paths": [.text(folders.joined() + "records")], "fields": .object(declared)])
    guard let source = stage as? any SourceStage else {
      preconditionFailure("\(type) is no source")
    }
    return (source, options)
  }

  private func make(_ section: SpecSection, _ declaration: JSONValue) -> (any Stage, Options) {
    var problems = Problems()
    let source = SpecSource(name: type, bytes: declaration.bytes())
    var check = OptionCheck(params: ResolvedParams())
    guard
      let type = registry.types(named: type).first(where: { $0.manual.kind.section == section }),
      let node = SpecJSON.parse(source, problems: &problems),
      let options = check.options(node, type.manual.options, of: self.type),
      let stage = type.init(options, &problems)
    else { preconditionFailure("\(section.singular) \(self.type): \(check.problems.text)") }
    return (stage, options)
  }
}
