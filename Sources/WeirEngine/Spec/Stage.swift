/// A stage type: its manual, and how one declaration in a spec becomes a value.
///
/// `init` gets options that are already checked against the manual. It checks what the manual
/// cannot say, adds problems at the nodes of the options, and returns `nil` only after it has
/// added one. It reads no file and starts nothing.
public protocol Stage: Sendable {
  static var manual: StageManual { get }

  init?(_ options: Options, _ problems: inout Problems)

  /// The outputs of this declaration; those of the manual unless they depend on options.
  var outputs: [PortSpec] { get }
}

extension Stage {
  public var outputs: [PortSpec] { Self.manual.outputs }
}

/// The stage types that a spec may name, in the order that `weir stages` lists them.
public struct StageRegistry: Sendable {
  public let types: [any Stage.Type]

  public init(_ types: [any Stage.Type]) {
    self.types = types
  }

  public func type(named name: String) -> (any Stage.Type)? {
    for type in types where type.manual.type.utf8.elementsEqual(name.utf8) { return type }
    return nil
  }

  /// The names of the types that may stand in a section.
  public func names(in section: SpecSection) -> [String] {
    types.map { $0.manual }.filter { $0.kind.section == section }.map { $0.type }
  }
}
