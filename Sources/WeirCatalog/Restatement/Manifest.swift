import WeirData
import WeirEngine

/// The manifest of an output directory, read back.
struct Manifest {
  static let name = "manifest.json"
  private static let bytesMax = 1 << 30

  struct File {
    var sink: String
    var path: String
    var rows: Int
    var bytes: Int
    var sha256: String
    /// Where its rows are told apart.
    var identity: RowIdentity?
  }
  struct Input {
    var source: String
    var shard: String
    var bytes: Int
    var content: String
  }

  let json: JSONValue
  let files: [File]
  let inputs: [Input]

  /// - Parameter directory: of the outputs.
  init(directory: String) throws(CatalogueError) {
    let path = joinPath(directory, Manifest.name)
    do throws(FileError) {
      let bytes = try readWholeFile(path, limit: Manifest.bytesMax)
      json = try Manifest.parse(bytes, path)
    } catch {
      throw CatalogueError(error)
    }
    files = (json["files"]?.asArray ?? []).compactMap { Manifest.file($0) }
    inputs = (json["inputs"]?.asArray ?? []).map {
      Input(
        source: $0.text("source") ?? "", shard: $0.text("shard") ?? "", bytes: $0.int("bytes") ?? 0,
        content: $0.text("content") ?? "")
    }
  }

  private static func parse(_ bytes: [UInt8], _ path: String) throws(FileError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(reading: bytes)
    } catch {
      throw FileError(path: path, operation: "read as JSON", code: damaged)
    }
  }

  /// EBADMSG: "not a data message"; what a damaged file reads as elsewhere.
  private static let damaged: Int32 = 74

  private static func file(_ json: JSONValue) -> File? {
    guard let path = json.text("path") else { return nil }
    var identity: RowIdentity?
    if let keys = json["keys"] {
      identity = RowIdentity(
        keys: (keys.asArray ?? []).compactMap(\.asText),
        estimates: (json["estimates"]?.asArray ?? []).compactMap(\.asText),
        provisional: json["provisional"]?.asMembers.first.flatMap { member in
          member.value.asText.map { (member.key, $0) }
        })
    }
    return File(
      sink: json.text("sink") ?? "", path: path, rows: json.int("rows") ?? 0,
      bytes: json.int("bytes") ?? 0, sha256: json.text("sha256") ?? "", identity: identity)
  }
}
