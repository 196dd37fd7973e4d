/// Literals and what stands in their place.
///
/// The text is read once from left to right: where several literals fit, the longest is taken; what
/// was put in is not read again.
struct Replacements: Sendable {
  struct Entry: Sendable {
    var from: [UInt8]
    var to: [UInt8]
  }

  let entries: [Entry]
  /// Indices of the entries by their first byte, longest first.
  private let byFirst: [[Int]]

  /// - Parameter entries: no `from` is empty, no two are the same.
  init(_ entries: [Entry]) {
    self.entries = entries
    var byFirst = [[Int]](repeating: [], count: 256)
    for (i, entry) in entries.enumerated() { byFirst[Int(entry.from[0])].append(i) }
    for first in byFirst.indices {
      byFirst[first].sort { entries[$0].from.count > entries[$1].from.count }
    }
    self.byFirst = byFirst
  }

  /// - Parameter spare: memory to work in.
  func apply(_ text: inout [UInt8], spare: inout [UInt8]) {
    spare.removeAll(keepingCapacity: true)
    var at = 0
    var isChanged = false
    while at < text.count {
      let rest = text[at...]
      if let entry = byFirst[Int(text[at])].first(where: { rest.starts(with: entries[$0].from) }) {
        spare.append(contentsOf: entries[entry].to)
        at += entries[entry].from.count
        isChanged = true
      } else {
        spare.append(text[at])
        at += 1
      }
    }
    if isChanged { swap(&text, &spare) }
  }
}
