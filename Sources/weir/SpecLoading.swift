import ArgumentParser
import Glibc
import WeirEngine
import WeirStages

/// Reads and checks a spec, and shows every problem with its place.
enum SpecLoading {
  /// The most that a spec file may have, in bytes: one more than the parser takes, so that it says so.
  static let bytesMax = (1 << 20) + 1

  /// - Returns: `nil` where the spec cannot run; the problems tell why.
  static func plan(
    _ path: String, given: GivenParams, allowMissingParams: Bool = false,
    secrets: SecretUse = .required
  ) -> (plan: Plan?, problems: Problems) {
    let (read, unreadable) = read(path)
    guard let bytes = read else { return (nil, unreadable) }
    var (spec, problems) = Spec.load(
      bytes, file: path, registry: .standard, given: given,
      allowMissingParams: allowMissingParams)
    guard let checked = spec else { return (nil, problems) }
    spec = nil
    return (Plan.make(checked, problems: &problems, secrets: secrets), problems)
  }

  /// The parameters of type date under "partition", before they have values.
  static func partitionDates(_ path: String) -> (names: [String]?, problems: Problems) {
    let (read, unreadable) = read(path)
    guard let bytes = read else { return (nil, unreadable) }
    let (spec, problems) = Spec.parse(bytes, file: path)
    return (problems.hasErrors ? nil : spec?.partitionDates, problems)
  }

  static func read(_ path: String) -> (bytes: [UInt8]?, problems: Problems) {
    do throws(FileError) {
      return (try readWholeFile(path, limit: bytesMax), Problems())
    } catch {
      var problems = Problems()
      let nowhere = SpecNode.nowhere(in: path)
      let isTooLarge = error.code == EFBIG
      problems.add(
        unreadable: error, isTooLarge ? "spec_too_large" : "unreadable_spec", at: nowhere,
        isTooLarge ? "the spec is larger than 1 MiB" : "the spec cannot be read: \(error.reason)",
        fix: "name a JSON file, for example pipelines/nightly-trends.json")
      return (nil, problems)
    }
  }
}

extension SpecNode {
  /// The place of a problem with a file that could not be read.
  static func nowhere(in path: String) -> SpecNode {
    SpecNode(kind: .null, range: 0..<0, pointer: .root, source: SpecSource(name: path, bytes: []))
  }
}

extension Problems {
  /// The status with which a command ends for them: 78, or 1 where trying again may help.
  var exit: Int32 { mayPass ? 1 : 78 }
}
