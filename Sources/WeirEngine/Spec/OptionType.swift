/// What an option of a stage may hold.
public indirect enum OptionType: Sendable {
  case string
  case bool
  case int(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  /// Bytes: `"8MiB"`, `"256KiB"`, or a plain integer.
  case size
  /// `"15m"`, `"6h"`, `"1d"`, `"1w"`.
  case duration
  /// `model.score`; a name with a dot in it is quoted: `model."v1.2"`.
  case fieldPath
  /// `string int number bool timestamp any`, with `?` where null or absent is allowed.
  case fieldType
  /// CEL; parameters are `params.x`, never `${param.x}`.
  case expression
  /// A path with `*`, `**`, `?` and `[...]`.
  case pathGlob
  case path
  /// A path with `{field}` and `{field:format}`.
  case pathTemplate
  /// `"2026-10-04"`, `"latest"`, `"latest-7d"`, `"today-1d"`.
  case date
  case choice([String])
  case list(OptionType)
  /// An object with free keys, whose order is kept.
  case map(OptionType)
  case object([OptionSpec])
  /// The first that fits.
  case anyOf([OptionType])
  /// Exactly this string, as `"all"` beside a list.
  case constant(String)
}

/// One option of a stage.
public struct OptionSpec: Sendable {
  public enum Presence: Sendable {
    case required
    case optional
    /// JSON text of the value that an absent option has.
    case `default`(String)
  }

  public var name: String
  public var type: OptionType
  public var presence: Presence
  /// One or two sentences, shown in editors, `weir stages` and the docs.
  public var summary: String

  public init(
    _ name: String, _ type: OptionType, _ presence: Presence, _ summary: String
  ) {
    self.name = name
    self.type = type
    self.presence = presence
    self.summary = summary
  }
}
