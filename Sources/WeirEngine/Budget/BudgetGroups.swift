import WeirData

/// Tells the groups of one shard by bytes that mean the same in every shard, so that those of several
/// shards can be added up.
struct BudgetGroups {
  private let state: ShardState
  private var known: [Projection: [UInt8]?] = [:]
  /// What the groups that were asked for have in common.
  private(set) var values: [[UInt8]: [JSONValue]] = [:]

  private struct Projection: Hashable {
    var group: Int
    var fields: [Int]
  }

  init(_ state: ShardState) { self.state = state }

  /// `nil` for records that have no value in any of the fields, most of them lines that could not be
  /// read: they are in no group, or one bad line would be a group in which all is refused.
  ///
  /// - Parameter group: of the shard, by all `ledger_by` fields.
  mutating func key(of group: Int, _ grouping: ErrorBudget.Grouping) -> [UInt8]? {
    switch grouping {
    case .none: return []
    case .shard:
      // In the order of the input.
      let key = withUnsafeBytes(of: UInt32(state.ordinal).bigEndian) { [0] + Array($0) }
      if values[key] == nil { values[key] = [.string(state.shard.name)] }
      return key
    case .fields(let fields):
      let place = Projection(group: group, fields: fields)
      if let key = known[place] { return key }
      let all = group == 0 ? [] : keyValues(state.groups.bytes(of: group - 1))
      let mine = fields.map { $0 < all.count ? all[$0] : .null }
      guard mine.contains(where: { $0 != .null }) else {
        known[place] = .some(nil)
        return nil
      }
      let key = JSONValue.array(mine).bytes()
      known[place] = key
      values[key] = mine
      return key
    }
  }
}
