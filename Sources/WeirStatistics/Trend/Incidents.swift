/// Findings that are likely one event: the same metric, the same direction, the same kind of change
/// within two buckets, in several groups.
public struct Incident: Sendable, Equatable {
  /// The values that its groups have in common, `nil` for a field in which they differ: all of
  /// them, or most.
  public var scope: [String?]
  /// Indices of the findings, in the order of the report; those of totals are not among them.
  public var findings: [Int]
  /// Groups that have one of its findings, and all tested groups in the scope.
  public var affected: Int
  public var groups: Int
}

/// What stands beside a finding of the same incident.
public enum FindingRelation: String, Sendable {
  /// The total that this group is a part of.
  case total
  /// A group that this total has as a part.
  case part
  /// Another group of the same incident.
  case sibling
}

public struct RelatedFindings: Sendable, Equatable {
  public var incidents: [Incident]
  /// For each finding its incident, if it is in one.
  public var incident: [Int?]
  /// For each finding those beside it, the first ``most`` in the order of the report.
  public var related: [[(finding: Int, relation: FindingRelation)]]

  /// A day on which everything falls relates each finding to thousands of others.
  public static let most = 20

  public static func == (a: RelatedFindings, b: RelatedFindings) -> Bool {
    a.incidents == b.incidents && a.incident == b.incident
      && a.related.map { $0.map(\.finding) } == b.related.map { $0.map(\.finding) }
  }
}

extension TrendReport {
  /// Buckets between changes that are taken for one.
  private static let reach = 2
  /// Groups of an incident at least, and their share of the tested groups of the scope.
  private static let fewestGroups = 3
  private static let leastShare = 0.5

  /// Groups the findings by place in time, and says which incidents they make up. An incident needs three
  /// groups and half of the tested groups of its scope; the scope is everything, else one value of one
  /// field. A finding is in the widest it fits in. O(findings log findings) and, for each cluster in time,
  /// O(series).
  public func related() -> RelatedFindings {
    var result = RelatedFindings(
      incidents: [], incident: [Int?](repeating: nil, count: findings.count),
      related: [[(finding: Int, relation: FindingRelation)]](repeating: [], count: findings.count))
    for cluster in clusters() {
      let leaves = cluster.filter { isLeaf(findings[$0].series) }
      findIncidents(leaves, &result)
      let keyed = cluster.map { ($0, keyBytes(of: $0)) }
      let company = Company(keyed)
      for (i, key) in keyed {
        let siblings = result.incident[i].map { result.incidents[$0].findings } ?? []
        result.related[i] = company.around(i, key, siblings: siblings)
      }
    }
    return result
  }

  private func keyBytes(of finding: Int) -> [[UInt8]?] {
    key(of: finding).map { $0.map { Array($0.utf8) } }
  }

  private func isLeaf(_ series: Int) -> Bool {
    self.series[series].key.allSatisfy { $0 != nil }
  }

  /// Findings that may be one event, each cluster in the order of the report.
  private func clusters() -> [[Int]] {
    struct Kind: Hashable {
      var metric: [UInt8]
      var family: Int
      var isUp: Bool
    }
    var kinds: [Kind] = []
    var members: [Kind: [Int]] = [:]
    for (i, finding) in findings.enumerated() {
      let family: Int
      switch finding.type {
      case .shift: family = 0
      case .trend: family = 1
      case .spike, .dip, .burst, .unconfirmedLevel: family = 2
      case .seasonBreak: family = 3
      // The middle of a history is no place that the data chose.
      case .windowChange, .dataMissing, .openBucket: continue
      }
      let kind = Kind(
        metric: Array(series[finding.series].metric.utf8), family: family,
        isUp: finding.type == .seasonBreak || finding.direction == .up)
      if members[kind] == nil { kinds.append(kind) }
      members[kind, default: []].append(i)
    }
    var clusters: [[Int]] = []
    for kind in kinds {
      let sorted = members[kind, default: []].sorted {
        (findings[$0].anchor, $0) < (findings[$1].anchor, $1)
      }
      var cluster: [Int] = []
      for i in sorted {
        if let last = cluster.last, findings[i].anchor - findings[last].anchor > Self.reach {
          clusters.append(cluster.sorted())
          cluster = []
        }
        cluster.append(i)
      }
      if cluster.count > 1 { clusters.append(cluster.sorted()) }
    }
    return clusters.filter { $0.count > 1 }
  }

  private func findIncidents(_ leaves: [Int], _ result: inout RelatedFindings) {
    guard leaves.count >= Self.fewestGroups, let fields = leaves.first.map({ key(of: $0).count })
    else { return }
    let metric = Array(series[findings[leaves[0]].series].metric.utf8)
    let tested = series.indices.filter {
      isLeaf($0) && verdicts[$0].p != nil && Array(series[$0].metric.utf8) == metric
    }
    func groups(_ some: [Int]) -> Int { Set(some.map { findings[$0].series }).count }
    func take(_ some: [Int], scope: [String?], of all: Int) -> Bool {
      let count = groups(some)
      guard count >= Self.fewestGroups, Double(count) >= Self.leastShare * Double(all) else {
        return false
      }
      for i in some { result.incident[i] = result.incidents.count }
      result.incidents.append(
        Incident(scope: scope, findings: some, affected: count, groups: max(all, count)))
      return true
    }
    let none = [String?](repeating: nil, count: fields)
    if fields > 1 || tested.count >= Self.fewestGroups,
      take(leaves, scope: none, of: tested.count)
    {
      return
    }
    for field in 0..<fields where fields > 1 {
      var values: [[UInt8]] = []
      for i in leaves {
        let value = Array((key(of: i)[field] ?? "").utf8)
        if !values.contains(value) { values.append(value) }
      }
      for value in values {
        func holds(_ series: Int) -> Bool {
          Array((self.series[series].key[field] ?? "").utf8) == value
        }
        let mine = leaves.filter { holds(findings[$0].series) && result.incident[$0] == nil }
        guard let first = mine.first else { continue }
        var scope = none
        scope[field] = key(of: first)[field]
        _ = take(mine, scope: scope, of: tested.count(where: holds))
      }
    }
  }

  private func key(of finding: Int) -> [String?] { series[findings[finding].series].key }
}

/// The findings of one cluster by their groups, to find those of totals and parts without looking at all.
private struct Company {
  private typealias Key = [[UInt8]?]
  /// The first ones of each key, and of each total that has findings those of its parts.
  private var own: [Key: [Int]] = [:]
  private var parts: [Key: [Int]] = [:]

  /// - Parameter findings: ascending, with the key of each.
  init(_ findings: [(finding: Int, key: [[UInt8]?])]) {
    func add(_ finding: Int, to list: inout [Int]) {
      if list.count < RelatedFindings.most { list.append(finding) }
    }
    for (finding, key) in findings { add(finding, to: &own[key, default: []]) }
    for (finding, key) in findings {
      for whole in Company.totals(of: key) where own[whole] != nil {
        add(finding, to: &parts[whole, default: []])
      }
    }
  }

  /// All keys that have this one as a part.
  private static func totals(of key: Key) -> [Key] {
    var all: [Key] = [key]
    for field in key.indices where key[field] != nil {
      all += all.map { wider in
        var wider = wider
        wider[field] = nil
        return wider
      }
    }
    return Array(all.dropFirst())
  }

  /// Those beside a finding, in the order of the report.
  ///
  /// - Parameter siblings: the findings of its incident, ascending.
  func around(
    _ finding: Int, _ key: [[UInt8]?], siblings: [Int]
  ) -> [(finding: Int, relation: FindingRelation)] {
    var found: [(finding: Int, relation: FindingRelation)] = []
    for whole in Company.totals(of: key) { found += (own[whole] ?? []).map { ($0, .total) } }
    found += (parts[key] ?? []).map { ($0, .part) }
    found += siblings.prefix(RelatedFindings.most + 1).filter { $0 != finding }
      .map { ($0, .sibling) }
    return Array(found.sorted { $0.finding < $1.finding }.prefix(RelatedFindings.most))
  }
}
