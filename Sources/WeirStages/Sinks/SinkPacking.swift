import WeirData
import WeirEngine

/// The options that say how a sink compresses.
enum SinkPacking {
  static let level = OptionSpec(
    "level", .int(1...19), .default("3"), "How hard zstd tries; higher is smaller and slower.")
  static let long = OptionSpec(
    "long", .int(20...27), .optional,
    "Looks for matches as far back as 2 to this power of bytes (`zstd --long`), in frames of so much text. Each worker needs about two times that in memory, and a reader once. Without it frames have 1 MiB."
  )

  /// How the file at `path` is encoded.
  static func encoding(
    _ path: String, _ options: Options, _ problems: inout Problems
  ) -> PieceEncoding {
    let settings = ZstdSettings(level: options.int("level"), long: options["long"]?.int)
    let encoding = PieceEncoding(path: path, settings)
    if case .plain = encoding, let long = options["long"] {
      problems.add(
        "unused_option", at: long.node, "\"long\" says how to compress, and this file is not",
        fix: "let \"path\" end in .zst, or take \"long\" out")
    }
    return encoding
  }
}
