import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

/// The few words of JSON Schema that ``findingSchema`` is made of.
private struct SchemaCheck {
  let root: JSONValue

  /// What of a value is not as the schema says; unknown names count as wrong too where names are listed.
  func faults(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
    if let target = schema["$ref"]?.string {
      return faults(value, root["$defs"]![String(target.split(separator: "/").last!)]!, path)
    }
    if let choices = schema["anyOf"]?.elements {
      return choices.contains { faults(value, $0, path).isEmpty } ? [] : ["\(path): none fits"]
    }
    if let allowed = schema["enum"]?.elements {
      return allowed.contains(value) ? [] : ["\(path): \(value.text) is not in the list"]
    }
    var types = schema["type"]?.elements ?? []
    if let one = schema["type"], one.string != nil { types = [one] }
    var found: [String] = []
    if !types.contains(where: { isOf($0.string!, value) }) {
      found.append("\(path): \(value.text)")
    }
    guard case .object = value else {
      for (i, item) in value.elements.enumerated() {
        found += schema["items"].map { faults(item, $0, "\(path)[\(i)]") } ?? []
      }
      return found
    }
    for name in schema["required"]?.elements ?? [] where value[name.string!] == nil {
      found.append("\(path): no \(name.string!)")
    }
    for key in value.keys {
      if let inner = schema["properties"]?[key] {
        found += faults(value[key]!, inner, "\(path).\(key)")
      }
    }
    return found
  }

  private func isOf(_ type: String, _ value: JSONValue) -> Bool {
    switch value {
    case .null: type == "null"
    case .bool: type == "boolean"
    case .int: type == "integer" || type == "number"
    case .number: type == "number"
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    }
  }
}

@Suite struct `The schema of a finding` {
  @Test func `holds for what the stage writes, and names all of it`() throws {
    let schema = try #require(JSONValue(parsing: findingSchema))
    let check = SchemaCheck(root: schema)
    let names = Set(schema["properties"]!.keys)
    let outcome = try TrendBench(TrendExample.spec).run(TrendExample.shards())
    #expect(outcome.findings.findings.count > 3)
    for finding in outcome.findings.findings {
      let written = try #require(JSONValue(parsing: finding.bytes()))
      #expect(check.faults(written, schema, "finding") == [])
      #expect(Set(written.keys).subtracting(names) == [])
    }
  }
}
