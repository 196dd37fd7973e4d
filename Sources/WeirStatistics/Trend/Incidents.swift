/// Findings that are likely one event: the same metric, the same direction, the same kind of change
/// within two buckets, in several groups.
public struct Incident: Sendable, Equatable {
  /// The values that its groups have in common, `nil` for a field in which they differ: all of
  /// them, or most.
  public var scope: [String?]
  /// Indices of the findings, in the order of the report; those of totals are not among them.
  public var findings: [Int]
  /// Tested groups in the scope.
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
  /// For each finding those beside it, with the larger first by the order of the report.
  public var related: [[(finding: Int, relation: FindingRelation)]]

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
  /// field. A finding is in the widest it fits in. O(findings log findings).
  public func related() -> RelatedFindings {
    var result = RelatedFindings(
      incidents: [], incident: [Int?](repeating: nil, count: findings.count),
      related: [[(finding: Int, relation: FindingRelation)]](repeating: [], count: findings.count))
    for cluster in clusters() {
      let leaves = cluster.filter { isLeaf(findings[$0].series) }
      findIncidents(leaves, &result)
      for i in cluster {
        for j in cluster where i != j {
          guard let relation = relation(of: j, to: i) else { continue }
          if relation == .sibling,
            result.incident[i] == nil || result.incident[i] != result.incident[j]
          {
            continue
          }
          result.related[i].append((j, relation))
        }
      }
    }
    return result
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
      case .spike, .dip, .burst: family = 2
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
      result.incidents.append(Incident(scope: scope, findings: some, groups: max(all, count)))
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

  /// What finding `j` is to finding `i`.
  private func relation(of j: Int, to i: Int) -> FindingRelation? {
    let (a, b) = (key(of: i), key(of: j))
    /// Whether `whole` is a total that has `part` in it.
    func contains(_ whole: [String?], _ part: [String?]) -> Bool {
      var isWider = false
      for (x, y) in zip(whole, part) {
        guard let x else {
          isWider = isWider || y != nil
          continue
        }
        guard let y, x.utf8.elementsEqual(y.utf8) else { return false }
      }
      return isWider
    }
    if contains(b, a) { return .total }
    if contains(a, b) { return .part }
    return .sibling
  }
}
