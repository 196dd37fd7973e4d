import WeirData
import WeirEngine
import WeirStatistics

/// What a finding says of those beside it: its incident, its total, its parts, what moves with it.
struct FindingCompany {
  let beside: RelatedFindings
  let moves: FindingMoves
  /// Of the findings, in the order of the report.
  let ids: [String]
  let by: [String]

  /// `incident` and `related` of finding i.
  func members(_ i: Int) -> [JSONMember] {
    let related = beside.related[i].map { other -> JSONValue in
      ["finding_id": .text(ids[other.finding]), "relation": .text(other.relation.rawValue)]
    }
    return [
      JSONMember("incident", incident(i)),
      JSONMember("related", .array(related + moves.related(i, ids: ids))),
    ]
  }

  private func incident(_ i: Int) -> JSONValue {
    guard let number = beside.incident[i] else { return .null }
    let incident = beside.incidents[number]
    return [
      // Named after the first of its findings: it stays as long as that one does.
      "incident_id": .text(ids[incident.findings[0]]),
      "scope": .object(
        zip(by, incident.scope).map { JSONMember($0, $1.map { .text($0) } ?? "*") }),
      "groups": .int(incident.affected), "of": .int(incident.groups),
    ]
  }

  /// "The same happened in 5 of 8 groups of DE."; `nil` outside of incidents.
  func sentence(_ i: Int) -> String? {
    guard let number = beside.incident[i] else { return nil }
    let incident = beside.incidents[number]
    let scope = incident.scope.compactMap { $0 }
    let place = scope.isEmpty ? "" : " of \(scope.joined(separator: ", "))"
    return "The same happened in \(incident.affected) of \(incident.groups) groups\(place) at the "
      + "same time."
  }
}
