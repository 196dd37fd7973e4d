import Foundation
import Testing

/// Finds the reference vectors: WEIR_VECTORS, else WEIR_SHARED/vectors/public, else
/// ../shared/vectors/public beside the package. `nil` where none of them is there.
enum Vectors {
  static let directory: URL? = {
    let environment = ProcessInfo.processInfo.environment
    var candidates: [URL] = []
    if let path = environment["WEIR_VECTORS"] { candidates.append(URL(fileURLWithPath: path)) }
    if let path = environment["WEIR_SHARED"] {
      candidates.append(URL(fileURLWithPath: path).appendingPathComponent("vectors/public"))
    }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    for up in ["../shared", "../../shared"] {
      candidates.append(
        package.appendingPathComponent(up).appendingPathComponent("vectors/public").standardized)
    }
    return candidates.first { FileManager.default.fileExists(atPath: $0.path) }
  }()

  static var isThere: Bool { directory != nil }

  static func files() throws -> [String] {
    guard let directory else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
  }

  static func read(_ name: String) throws -> VectorFile {
    let url = try #require(directory).appendingPathComponent(name)
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
    let top = try #require(json as? [String: Any])
    let tolerance = top["tolerance"] as? [String: Any] ?? [:]
    let cases = try #require(top["cases"] as? [[String: Any]])
    return VectorFile(
      cases: cases.map { VectorCase(fields: $0) },
      relative: (tolerance["rel"] as? NSNumber)?.doubleValue ?? 1e-9,
      absolute: (tolerance["abs"] as? NSNumber)?.doubleValue ?? 1e-12)
  }

  /// Lines of a .jsonl file.
  static func lines(_ name: String) throws -> [VectorCase] {
    let url = try #require(directory).appendingPathComponent(name)
    let text = try String(contentsOf: url, encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let json = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return VectorCase(fields: try #require(json as? [String: Any]))
    }
  }
}

struct VectorFile {
  var cases: [VectorCase]
  var relative: Double
  var absolute: Double
}

struct VectorCase {
  var fields: [String: Any]
  var id: String { fields["id"] as? String ?? "?" }
  var input: VectorCase { self["input"] }
  var params: VectorCase { self["params"] }
  var expected: VectorCase { self["expected"] }

  subscript(_ name: String) -> VectorCase {
    VectorCase(fields: fields[name] as? [String: Any] ?? [:])
  }
  func has(_ name: String) -> Bool { fields[name] != nil }
  var names: [String] { fields.keys.sorted() }
  func number(_ name: String) -> Double? { (fields[name] as? NSNumber)?.doubleValue }
  func numbers(_ name: String) -> [Double] { gaps(name).map { $0 ?? .nan } }
  /// `null` becomes nil.
  func gaps(_ name: String) -> [Double?] {
    (fields[name] as? [Any] ?? []).map { ($0 as? NSNumber)?.doubleValue }
  }
  func flags(_ name: String) -> [Bool] {
    (fields[name] as? [Any] ?? []).map { ($0 as? NSNumber)?.boolValue ?? false }
  }
  func text(_ name: String) -> String? { fields[name] as? String }
}
