import WeirEngine
import WeirStages

/// The stages that specs over generated decisions begin with, each as a member of its section.
enum DecisionStages {
  static func source(_ data: String) -> String {
    """
    "decisions": { "type": "jsonl", "paths": ["\(data)/date=*/*.jsonl.zst"],
                   "fields": { "event_id": "string", "ts": "any", "market": "string",
                               "queue": "string", "decision": "string", "handle_ms": "int?",
                               "revision": "int" } }
    """
  }

  static var clean: String {
    """
    "clean":  { "type": "normalize", "inputs": ["decisions"],
                "fields": { "market": { "trim": true, "case": "upper", "map": \(markets) },
                            "queue":  { "trim": true, "case": "lower", "replace": { "-": "_" } },
                            "ts":     { "timestamp": ["rfc3339", "epoch_ms"] } } }
    """
  }

  static let unique = """
    "unique": { "type": "dedupe", "inputs": ["clean"], "key": ["event_id"], "keep": "last",
                "order_by": ["revision"] }
    """

  /// Every spelling in upper case and its code.
  private static var markets: String {
    var entries: [String] = []
    for market in World.markets {
      for spelling in [market.code] + market.spellings {
        let key = spelling.uppercased().split(separator: " ").joined(separator: " ")
        let entry = "\"\(key)\": \"\(market.code)\""
        if !entries.contains(entry) { entries.append(entry) }
      }
    }
    return "{\(entries.joined(separator: ", "))}"
  }
}

/// - Throws: ``MicroError`` with the problems of the spec.
func makePlan(
  _ spec: String, file: String, registry: StageRegistry = .standard
) throws -> Plan {
  var (checked, problems) = Spec.load(Array(spec.utf8), file: file, registry: registry)
  let plan = checked.flatMap { Plan.make($0, problems: &problems) }
  checked = nil
  guard let plan else { throw MicroError(problems.text) }
  return plan
}
