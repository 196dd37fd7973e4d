import Glibc
import WeirData
import WeirEngine

/// Where the outputs of a run are now.
public enum OutputPlace: String, Sendable {
  /// The run made none.
  case none
  /// What readers see.
  case inPlace = "in_place"
  /// Kept, but a later run's are in place.
  case kept
  /// No longer kept: a later run's are in place.
  case pruned
  /// Gone, and no later run took their place.
  case gone

  init(_ run: RunSummary) {
    guard run.status == .done, let directory = run.directory else {
      self = .none
      return
    }
    let target = linkTarget(run.out).map { joinPath(WeirEngine.directory(of: run.out), $0) }
    let isLinked = target.map { same($0, directory) } ?? false
    if isDirectory(directory) {
      self = isLinked ? .inPlace : .kept
    } else {
      self = !isLinked && (target.map { isDirectory($0) } ?? false) ? .pruned : .gone
    }
  }
}

/// Holds the outputs of a run against its record: every file with its size and SHA-256, and no other.
public struct OutputCheck: Sendable {
  public struct Difference: Sendable, Equatable {
    public var path: String
    /// Stable, `snake_case`: `missing`, `size`, `content`, `unreadable`, `unknown_file`, `no_outputs`,
    /// `outputs_gone`, `manifest`.
    public var code: String
    public var message: String

    public var json: JSONValue {
      ["path": .text(path), "code": .text(code), "message": .text(message)]
    }
  }

  public let run: RunSummary
  public let place: OutputPlace
  public private(set) var differences: [Difference] = []
  public private(set) var files = 0
  public private(set) var bytes = 0

  public var isGood: Bool { differences.isEmpty }

  init(_ run: RunSummary, _ outputs: [RunDetails.Output]) {
    self.run = run
    place = OutputPlace(run)
    switch place {
    case .none:
      add(
        "", "no_outputs",
        run.status == .done
          ? "its record does not say where its outputs are"
          : "it has no outputs: it is \(run.status.rawValue)")
    case .gone:
      add(
        "", "outputs_gone",
        "\(run.directory ?? run.out) is gone, and no later run took its place: run it again")
    case .pruned: break
    case .inPlace, .kept: check(run.directory ?? run.out, outputs)
    }
  }

  private mutating func add(_ path: String, _ code: String, _ message: String) {
    differences.append(Difference(path: path, code: code, message: message))
  }

  private mutating func check(_ directory: String, _ outputs: [RunDetails.Output]) {
    for output in outputs {
      do throws(FileError) {
        try check(output, at: joinPath(directory, output.path))
      } catch {
        add(
          output.path, error.isNotThere ? "missing" : "unreadable",
          error.isNotThere ? "not there" : error.reason)
      }
    }
    checkManifest(directory, outputs)
    do throws(FileError) {
      let known = Set(outputs.map { Array($0.path.utf8) } + [Array(Manifest.name.utf8)])
      for path in try OutputCheck.files(below: directory, "") where !known.contains(path) {
        add(
          String(decoding: path, as: UTF8.self), "unknown_file", "no file of the run")
      }
    } catch {
      add("", "unreadable", error.description)
    }
  }

  private mutating func check(
    _ output: RunDetails.Output, at path: String
  ) throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      throw FileError(path: path, operation: "stat", code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      add(output.path, "content", "not a regular file")
      return
    }
    let size = Int(status.st_size)
    guard size == output.bytes else {
      add(
        output.path, "size",
        "\(groupedDigits(size.magnitude)) bytes, it had \(groupedDigits(output.bytes.magnitude))")
      return
    }
    let hasher = SHA256Hasher()
    try readRange(path, 0..<size) { hasher.update($0) }
    let hash = hexText(hasher.finish())
    files += 1
    bytes += size
    if !same(hash, output.sha256) {
      add(output.path, "content", "SHA-256 \(hash), it had \(output.sha256)")
    }
  }

  /// The manifest must be there and name just what the record of the run does.
  private mutating func checkManifest(_ directory: String, _ outputs: [RunDetails.Output]) {
    do throws(CatalogueError) {
      let manifest = try Manifest(directory: directory)
      let named = manifest.files.map { "\($0.path) \($0.sha256)" }.sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
      let known = outputs.map { "\($0.path) \($0.sha256)" }.sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
      guard !named.elementsEqual(known, by: same) else { return }
      add(Manifest.name, "manifest", "does not name the files that the run wrote")
    } catch {
      add(Manifest.name, "manifest", error.message)
    }
  }

  private static func files(below root: String, _ prefix: String) throws(FileError) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for entry in try directoryEntries(prefix.isEmpty ? root : joinPath(root, prefix)) {
      let path = joinPath(prefix, String(decoding: entry, as: UTF8.self))
      var status = stat()
      guard lstat(joinPath(root, path), &status) == 0 else {
        throw FileError(path: joinPath(root, path), operation: "stat", code: errno)
      }
      if status.st_mode & S_IFMT == S_IFDIR {
        found += try files(below: root, path)
      } else {
        found.append(Array(path.utf8))
      }
    }
    return found
  }
}

extension Catalogue {
  /// Reads all outputs of a run again.
  public func verify(_ run: RunSummary) throws(CatalogueError) -> OutputCheck {
    OutputCheck(run, try outputs(of: run.id))
  }
}
