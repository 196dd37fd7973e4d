import WeirData

/// What is said of sinks whose files cannot stand beside each other, or beside the manifest.
extension PlanAdvice {
  private struct Sink {
    let stage: CheckedStage
    let path: String
    /// How files of its type end: `.jsonl.zst`.
    let ending: String

    init?(_ stage: CheckedStage) {
      guard let sink = stage.stage as? any SinkStage, let path = sink.staticPath else {
        return nil
      }
      (self.stage, self.path) = (stage, path)
      ending = type(of: sink).manual.fileEnding
    }

    /// Whether its file is called as those of its type are.
    var suits: Bool {
      let first = ending.utf8.dropFirst().prefix { $0 != UInt8(ascii: ".") }
      return lastComponent(of: path).utf8.split(separator: UInt8(ascii: ".")).dropFirst()
        .contains { $0.elementsEqual(first) }
    }
  }

  func checkPaths(_ problems: inout Problems) {
    let sinks = spec.stages.compactMap { Sink($0) }
    let taken = sinks.map(\.path)
    for (index, sink) in sinks.enumerated() {
      if OutputDirectory.isManifest(sink.path) {
        problems.add(
          "sink_collision", at: sink.stage.options.node("path"),
          "Weir writes \(sink.path) itself", expected: "another path",
          fix: PlanAdvice.freePath(sink, taken).map { quoted($0) })
      }
      guard let other = sinks[..<index].first(where: { PlanAdvice.collide($0.path, sink.path) })
      else { continue }
      let odd = PlanAdvice.odd(other, sink)
      problems.add(
        "sink_collision", at: odd.stage.options.node("path"),
        same(other.path, sink.path)
          ? "`\(other.stage.name)` and `\(sink.stage.name)` both write \(sink.path)"
          : "`\(other.stage.name)` writes \(other.path), and `\(sink.stage.name)` \(sink.path): one name would be a file and a folder",
        expected: "another path for `\(odd.stage.name)`, a sink of type \(odd.stage.type)",
        fix: PlanAdvice.freePath(odd, taken).map { quoted($0) })
    }
  }

  /// Which of two sinks should change its path: one whose file does not end as its type, else one that makes
  /// a folder of the other's file, else the later one.
  private static func odd(_ first: Sink, _ second: Sink) -> Sink {
    if !second.suits { return second }
    if !first.suits { return first }
    return first.path.utf8.count > second.path.utf8.count ? first : second
  }

  /// Whether two files cannot stand beside each other: one path, or one is a folder of the other.
  private static func collide(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    return a == b || a.starts(with: b + [UInt8(ascii: "/")])
      || b.starts(with: a + [UInt8(ascii: "/")])
  }

  /// The path with the name of the stage, or a number, in the place of its own name; in the folder above
  /// where its own cannot be.
  private static func freePath(_ sink: Sink, _ taken: [String]) -> String? {
    let (path, stage) = (sink.path, sink.stage.name)
    let file = lastComponent(of: path)
    let folder = String(decoding: path.utf8.dropLast(file.utf8.count), as: UTF8.self)
    let dot = file.utf8.firstIndex(of: UInt8(ascii: ".")) ?? file.utf8.endIndex
    let stem = String(file[..<dot])
    let end = sink.suits ? String(file[dot...]) : sink.ending
    let names = ["\(stage)\(end)", "\(stem)-2\(end)", "\(stage)-2\(end)"]
    // A path without an ending that others have as a folder was meant as that folder.
    let inside = "\(path)/\(stage)\(end)"
    if dot == file.utf8.endIndex, taken.contains(where: { $0.utf8.starts(with: "\(path)/".utf8) }),
      !taken.contains(where: { !same($0, path) && collide($0, inside) })
    {
      return inside
    }
    return (names.map { folder + $0 } + ["\(stem)\(end)"] + names).first { candidate in
      !OutputDirectory.isManifest(candidate) && !taken.contains { collide($0, candidate) }
    }
  }
}
