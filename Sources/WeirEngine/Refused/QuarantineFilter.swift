import WeirData

/// Which entries of a quarantine are meant: all that fit each of the lists that is not empty.
public struct QuarantineFilter: Sendable {
  private let codes: [[UInt8]]
  private let stages: [[UInt8]]
  private let fields: [[UInt8]]
  private let shards: [[UInt8]]

  /// - Parameters:
  ///   - codes: whole codes; the same for stages and fields.
  ///   - shards: a shard fits where one of them is part of its name.
  public init(
    codes: [String] = [], stages: [String] = [], fields: [String] = [], shards: [String] = []
  ) {
    self.codes = codes.map { Array($0.utf8) }
    self.stages = stages.map { Array($0.utf8) }
    self.fields = fields.map { Array($0.utf8) }
    self.shards = shards.map { Array($0.utf8) }
  }

  public var isOpen: Bool {
    codes.isEmpty && stages.isEmpty && fields.isEmpty && shards.isEmpty
  }

  public func fits(_ entry: QuarantineEntry) -> Bool {
    func holds(_ wanted: [[UInt8]], _ value: UnsafeBufferPointer<UInt8>?) -> Bool {
      guard !wanted.isEmpty else { return true }
      guard let value else { return false }
      return wanted.contains { $0.elementsEqual(value) }
    }
    guard holds(codes, entry.code), holds(stages, entry.stage), holds(fields, entry.field) else {
      return false
    }
    return shards.isEmpty || shards.contains { isPart($0, of: entry.shard) }
  }

  private func isPart(_ part: [UInt8], of text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains {
      UnsafeBufferPointer(rebasing: text[$0..<($0 + part.count)]).elementsEqual(part)
    }
  }
}
