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
