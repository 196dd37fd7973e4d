import Foundation

@testable import WeirExpressions

/// One case of CEL's conformance suite, as the public data has it.
struct ConformanceCase {
  var name: String
  var source: String
  var isChecked: Bool
  /// Whether only the type is asked for.
  var isCheckOnly: Bool
  var bindings: [(name: String, value: Value)] = []
  var wanted: Wanted
  var type: [String: Any]?
  /// Why it is none of Weir's, as decision record 8 says; `nil` where it is.
  var exclusion: String?

  enum Wanted {
    case value(Value)
    case failure
  }

  init(_ item: [String: Any]) throws {
    source = item["expr"] as? String ?? ""
    name = "\(item["name"] ?? ""): \(source)"
    isChecked = item["disable_check"] == nil
    isCheckOnly = item["check_only"] != nil
    wanted = .value(.bool(true))
    let typed = item["typed_result"] as? [String: Any]
    type = typed?["deduced_type"] as? [String: Any]
    for declaration in item["type_env"] as? [[String: Any]] ?? [] {
      if declaration["function"] != nil { exclusion = "a function of the suite's own" }
      let type = (declaration["ident"] as? [String: Any])?["type"] as? [String: Any]
      if let message = type?["message_type"] as? String, !ConformanceCase.known.contains(message) {
        exclusion = "a protobuf message"
      }
    }
    for (name, binding) in item["bindings"] as? [String: Any] ?? [:] {
      guard let json = (binding as? [String: Any])?["value"] as? [String: Any] else { continue }
      guard let value = ConformanceCase.value(json) else {
        exclusion = "a protobuf message"
        continue
      }
      bindings.append((name, value))
    }
    bindings.sort { $0.name < $1.name }
    if let syntax = try? Parser.parse(source), ConformanceCase.hasMessage(syntax) {
      exclusion = "a protobuf message"
    }
    if item["section"] as? String == "bytes_literals",
      ConformanceCase.mistaken.contains(item["name"] as? String ?? "")
    {
      exclusion = "a backslash is wanted that the literal does not have"
    }
    if item["eval_error"] != nil {
      wanted = .failure
    } else if let json = item["value"] as? [String: Any] ?? typed?["result"] as? [String: Any] {
      if let value = ConformanceCase.value(json) {
        wanted = .value(value)
      } else {
        exclusion = "a protobuf message"
      }
    }
  }

  private static let known = ["google.protobuf.Timestamp", "google.protobuf.Duration"]

  private static let mistaken = [
    "triple_single_quoted_unescaped_punctuation", "triple_double_quoted_unescaped_punctuation",
  ]

  private static func hasMessage(_ syntax: Syntax) -> Bool {
    syntax.nodes.contains { if case .message = $0.kind { true } else { false } }
  }

  // MARK: - Values

  /// `nil` for a protobuf message.
  static func value(_ json: [String: Any]) -> Value? {
    if json.keys.contains("null_value") { return .null }
    if let bool = json["bool_value"] as? Bool { return .bool(bool) }
    if let text = json["int64_value"] as? String { return Int64(text).map { .int($0) } }
    if let text = json["uint64_value"] as? String { return UInt64(text).map { .uint($0) } }
    if let text = json["string_value"] as? String { return .string(Array(text.utf8)) }
    if let text = json["bytes_value"] as? String {
      return Data(base64Encoded: text).map { .bytes(Array($0)) }
    }
    if let number = json["double_value"] {
      if let text = number as? String { return Double(text).map { .number($0) } }
      return (number as? NSNumber).map { .number($0.doubleValue) }
    }
    if let name = json["type_value"] as? String {
      return TypeName(rawValue: name).map { .type($0) }
    }
    if let list = json["list_value"] as? [String: Any] {
      let elements = (list["values"] as? [[String: Any]] ?? []).map(value)
      return elements.contains { $0 == nil } ? nil : .list(elements.map { $0! })
    }
    if let map = json["map_value"] as? [String: Any] {
      var made = MapValue()
      for entry in map["entries"] as? [[String: Any]] ?? [] {
        guard let keyJSON = entry["key"] as? [String: Any], let key = value(keyJSON),
          let valueJSON = entry["value"] as? [String: Any], let value = value(valueJSON),
          let place = MapKey(key), made.insert(place, written: key, value)
        else { return nil }
      }
      return .map(made)
    }
    if let object = json["object_value"] as? [String: Any], let type = object["@type"] as? String,
      let text = object["value"] as? String
    {
      if type.hasSuffix("Duration") {
        return (try? DurationText.nanoseconds(Array(text.utf8))).map { .duration($0) }
      }
      if type.hasSuffix("Timestamp") {
        return (try? Instant(rfc3339: Array(text.utf8))).map { .timestamp($0) }
      }
    }
    return nil
  }

  // MARK: - Types

  /// Whether a static type is the one that the case names.
  static func same(_ base: ValueType.Base, _ type: [String: Any]) -> Bool {
    if type.keys.contains("dyn") { return base.isAny }
    if type.keys.contains("null") { return base == .null }
    switch (base, type["primitive"] as? String) {
    case (.bool, "BOOL"), (.int, "INT64"), (.uint, "UINT64"), (.number, "DOUBLE"),
      (.string, "STRING"), (.bytes, "BYTES"):
      return true
    default: break
    }
    switch base {
    case .timestamp: return type["well_known"] as? String == "TIMESTAMP"
    case .duration: return type["well_known"] as? String == "DURATION"
    case .list(let element):
      guard let inner = (type["list_type"] as? [String: Any])?["elem_type"] as? [String: Any] else {
        return false
      }
      return same(element, inner)
    case .map(let key, let value):
      guard let inner = type["map_type"] as? [String: Any],
        let keyType = inner["key_type"] as? [String: Any],
        let valueType = inner["value_type"] as? [String: Any]
      else { return false }
      return same(key, keyType) && same(value, valueType)
    case .optional(let held):
      guard let inner = type["abstract_type"] as? [String: Any],
        inner["name"] as? String == "optional_type",
        let parameters = inner["parameter_types"] as? [[String: Any]], let first = parameters.first
      else { return false }
      return same(held, first)
    default: return false
    }
  }
}

/// Whether two values are the same to the last bit; maps in any order.
func identical(_ a: Value, _ b: Value) -> Bool {
  switch (a, b) {
  case (.null, .null): true
  case (.bool(let x), .bool(let y)): x == y
  case (.int(let x), .int(let y)), (.duration(let x), .duration(let y)): x == y
  case (.uint(let x), .uint(let y)): x == y
  case (.number(let x), .number(let y)): x.bitPattern == y.bitPattern || (x.isNaN && y.isNaN)
  case (.string(let x), .string(let y)), (.bytes(let x), .bytes(let y)): x == y
  case (.timestamp(let x), .timestamp(let y)): x == y
  case (.type(let x), .type(let y)): x == y
  case (.list(let x), .list(let y)):
    x.count == y.count && zip(x, y).allSatisfy { identical($0, $1) }
  case (.map(let x), .map(let y)):
    x.count == y.count
      && x.entries.allSatisfy { entry in
        y.entries.contains { identical(entry.key, $0.key) && identical(entry.value, $0.value) }
      }
  case (.optional(let x), .optional(let y)):
    switch (x, y) {
    case (nil, nil): true
    case (let x?, let y?): identical(x, y)
    default: false
    }
  default: false
  }
}
