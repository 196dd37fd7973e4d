import Foundation
import Testing

/// Finds the reference vectors: WEIR_VECTORS, else WEIR_SHARED/vectors/public, else
/// ../shared/vectors/public beside the package. `nil` where none of them is there; a WEIR_VECTORS that
/// leads nowhere is not skipped but fails.
enum Vectors {
  static let directory: URL? = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["WEIR_VECTORS"] { return URL(fileURLWithPath: path) }
    var candidates: [URL] = []
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
    let json = try JSONDecoder().decode(VectorJSON.self, from: Data(contentsOf: url))
    let top = try #require(json.value as? [String: Any])
    let tolerance = top["tolerance"] as? [String: Any] ?? [:]
    let cases = try #require(top["cases"] as? [[String: Any]])
    return VectorFile(
      cases: cases.map { VectorCase(fields: $0) },
      relative: tolerance["rel"] as? Double ?? 1e-9,
      absolute: tolerance["abs"] as? Double ?? 1e-12,
      top: VectorCase(fields: top))
  }

  /// Lines of a .jsonl file.
  static func lines(_ name: String) throws -> [VectorCase] {
    let url = try #require(directory).appendingPathComponent(name)
    let text = try String(contentsOf: url, encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let json = try JSONDecoder().decode(VectorJSON.self, from: Data(line.utf8))
      return VectorCase(fields: try #require(json.value as? [String: Any]))
    }
  }
}

/// Any JSON value, with numbers to the last bit: `JSONSerialization` rounds some of them wrongly.
private struct VectorJSON: Decodable {
  /// Double, Bool, String, [Any], [String: Any] or NSNull.
  var value: Any

  init(from decoder: any Decoder) throws {
    let one = try decoder.singleValueContainer()
    if one.decodeNil() {
      value = NSNull()
    } else if let number = try? one.decode(Double.self) {
      value = number
    } else if let truth = try? one.decode(Bool.self) {
      value = truth
    } else if let text = try? one.decode(String.self) {
      value = text
    } else if let list = try? one.decode([VectorJSON].self) {
      value = list.map(\.value)
    } else {
      value = try one.decode([String: VectorJSON].self).mapValues(\.value)
    }
  }
}

struct VectorFile {
  var cases: [VectorCase]
  var relative: Double
  var absolute: Double
  /// Everything the file says, for tolerances of single fields.
  var top: VectorCase
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
  func number(_ name: String) -> Double? { Self.real(fields[name]) }
  func whole(_ name: String) -> Int? { number(name).map { Int($0) } }
  func numbers(_ name: String) -> [Double] { gaps(name).map { $0 ?? .nan } }
  /// `null` becomes nil.
  func gaps(_ name: String) -> [Double?] { (fields[name] as? [Any] ?? []).map(Self.real) }
  func wholes(_ name: String) -> [Int] {
    (fields[name] as? [Any] ?? []).compactMap { Self.real($0).map { Int($0) } }
  }
  func rows(_ name: String) -> [[Double?]] {
    (fields[name] as? [Any] ?? []).map { ($0 as? [Any] ?? []).map(Self.real) }
  }
  func flag(_ name: String) -> Bool { fields[name] as? Bool ?? false }
  func flags(_ name: String) -> [Bool] {
    (fields[name] as? [Any] ?? []).map { $0 as? Bool ?? false }
  }
  func text(_ name: String) -> String? { fields[name] as? String }
  /// The library that made the file failed here: there is nothing to compare with.
  func isError(_ name: String) -> Bool { self[name].has("error") }

  /// Infinities are strings in the files.
  private static func real(_ value: Any?) -> Double? {
    switch value as? String {
    case "inf": return .infinity
    case "-inf": return -.infinity
    default: return value as? Double
    }
  }
}
